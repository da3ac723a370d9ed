/// AUTOMATIC1111's composition: `a cat :1.2 AND a dog`, each part with a weight of its own.
public enum PromptComposition {
    /// The parts of a prompt and their weights; one of weight 1 where there is no `AND`.
    public static func parts(of prompt: String) -> [(text: String, weight: Float)] {
        let scalars = Array(prompt.unicodeScalars)
        let words = scalars.places(ofWord: "AND")
        return zip([0] + words.map(\.upperBound), words.map(\.lowerBound) + [scalars.count]).map {
            start, end in
            let part = scalars[start..<end]
            guard let colon = part.lastIndex(of: ":"), let weight = weight(part[(colon + 1)...]) else {
                return (String(String.UnicodeScalarView(part)), 1)
            }
            return (String(String.UnicodeScalarView(part[..<colon].trimmingEnd())), weight)
        }
    }

    /// `1`, `-0.5`, `.5` or `+1.`, with white space around it.
    private static func weight(_ written: ArraySlice<Unicode.Scalar>) -> Float? {
        let number = written.drop(while: \.isSpace).trimmingEnd()
        let digits = number.first == "+" || number.first == "-" ? number.dropFirst() : number
        // What else `Float` reads, as infinity and powers of ten, is text.
        guard digits.first != nil, digits.allSatisfy({ $0 == "." || ("0"..."9").contains($0) }),
            let weight = Float(String(String.UnicodeScalarView(number))), weight.isFinite
        else { return nil }
        return weight
    }
}

extension ArraySlice<Unicode.Scalar> {
    fileprivate func trimmingEnd() -> Self {
        self[..<(lastIndex { !$0.isSpace }.map { $0 + 1 } ?? startIndex)]
    }
}
