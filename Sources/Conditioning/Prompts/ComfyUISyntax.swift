import Foundation

/// ComfyUI's weights: `(text)` is 1.1 times as strong as what is around it, `(text:1.3)` has that weight whatever is
/// around it; a backslash takes a bracket's meaning away.
enum ComfyUISyntax {
    /// Deeper brackets are text.
    private static let depthLimit = 64

    /// - Returns: Texts, none of them empty.
    static func parse(_ prompt: String) -> [WeightedText] {
        pieces(of: Array(prompt.unicodeScalars)[...], weight: 1, depth: 0)
    }

    private static func pieces(of scalars: ArraySlice<Unicode.Scalar>, weight: Float, depth: Int)
        -> [WeightedText]
    {
        var result: [WeightedText] = []
        for item in items(of: scalars) {
            guard depth < depthLimit, item.count >= 2, item.first == "(", isBracket(item) else {
                let text = unescaped(item)
                if !text.isEmpty { result.append(WeightedText(text, weight: weight)) }
                continue
            }
            var (inner, innerWeight) = (item.dropFirst().dropLast(), weight * 1.1)
            if let colon = inner.lastIndex(of: ":"), colon > inner.startIndex,
                let number = Float(
                    string(inner[(colon + 1)...]).trimmingCharacters(in: .whitespaces)),
                number.isFinite
            {
                (inner, innerWeight) = (inner[..<colon], number)
            }
            result += pieces(of: inner, weight: innerWeight, depth: depth + 1)
        }
        return result
    }

    /// Whether an item ends with a bracket that means something.
    private static func isBracket(_ item: ArraySlice<Unicode.Scalar>) -> Bool {
        item.last == ")" && item[item.endIndex - 2] != "\\"
    }

    /// Brackets of the outermost level, and what is between them.
    private static func items(of scalars: ArraySlice<Unicode.Scalar>) -> [ArraySlice<Unicode.Scalar>] {
        var items: [ArraySlice<Unicode.Scalar>] = []
        var (start, level, index) = (scalars.startIndex, 0, scalars.startIndex)
        func cut(at end: Int) {
            if start < end { items.append(scalars[start..<end]) }
            start = end
        }
        while index < scalars.endIndex {
            switch scalars[index] {
            case "\\" where index + 1 < scalars.endIndex && "()".unicodeScalars.contains(scalars[index + 1]):
                index += 1
            case "(":
                if level == 0 { cut(at: index) }
                level += 1
            case ")":
                level -= 1
                if level == 0 { cut(at: index + 1) }
            default: break
            }
            index += 1
        }
        cut(at: scalars.endIndex)
        return items
    }

    /// Without the backslashes before brackets.
    private static func unescaped(_ item: ArraySlice<Unicode.Scalar>) -> String {
        let isBracket = { item.indices.contains($0) && (item[$0] == "(" || item[$0] == ")") }
        let kept = item.indices.filter { item[$0] != "\\" || !isBracket($0 + 1) }
        return String(String.UnicodeScalarView(kept.map { item[$0] }))
    }

    private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        String(String.UnicodeScalarView(scalars))
    }
}
