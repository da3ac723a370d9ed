import Foundation

/// Compel's syntax, which InvokeAI's users know too: `+` and `-` behind a word or a phrase in brackets or quotation
/// marks strengthen and weaken it, each by a tenth; a number behind brackets is a weight; a whole prompt may be several
/// in brackets with `.blend(weights)` or `.and(weights)` behind. What does not read as such is text.
enum CompelSyntax {
    /// - Throws: ``PromptError``.
    static func parse(_ prompt: String) throws(PromptError) -> CompelPrompt {
        let reader = CompelReader(spaced(prompt))
        let part = if let whole = try reader.operation() { whole } else { [try reader.text()] }
        return CompelPrompt(parts: part)
    }

    /// A space behind each comma, as Compel has it, so that "a,b" is two words; of two commas the first alone has one.
    private static func spaced(_ prompt: String) -> String {
        var result = String.UnicodeScalarView()
        var isBehindComma = false
        for scalar in prompt.unicodeScalars {
            let isApart = isBehindComma && !scalar.isSpace
            if isApart { result.append(" ") }
            result.append(scalar)
            isBehindComma = scalar == "," && !isApart
        }
        return String(result)
    }
}

/// Reads with one look at each bracket: those without a partner are text.
private struct CompelReader {
    typealias Fragment = CompelPrompt.Fragment

    private let scalars: [Unicode.Scalar]
    /// The closing one's place for each opening bracket and quotation mark.
    private var partners: [Int: Int] = [:]
    private static let syntax: Set<Unicode.Scalar> = ["(", ")", "\"", ",", ".", "+", "-", "="]
    /// Deeper brackets are text.
    private static let depthLimit = 64

    init(_ text: String) {
        scalars = Array(text.unicodeScalars)
        var open: [Int] = []
        var quote: Int?
        var index = 0
        while index < scalars.count {
            switch scalars[index] {
            case "\\": index += 1
            case "\"":
                if let start = quote { partners[start] = index }
                quote = quote == nil ? index : nil
            case "(": open.append(index)
            case ")": if let start = open.popLast() { partners[start] = index }
            default: break
            }
            index += 1
        }
    }

    // MARK: Whole prompts

    /// `(one, other).blend(…)` or `.and(…)`, if that is all there is.
    func operation() throws(PromptError) -> [CompelPrompt.Part]? {
        var place = skippingSpace(0)
        guard place < scalars.count, scalars[place] == "(", let end = partners[place] else { return nil }
        let list = place + 1..<end
        place = end + 1
        guard let name = ["blend", "and", "add"].first(where: { starts(with: ".\($0)(", at: place) }),
            let close = partners[place + name.unicodeScalars.count + 1],
            skippingSpace(close + 1) == scalars.count
        else { return nil }
        let options = string(place + name.unicodeScalars.count + 2..<close).split(separator: ",")
            .map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
        guard let texts = try targets(in: list) else { return nil }
        let numbers = options.compactMap(Double.init).filter(\.isFinite)
        let isNormalized = options.last != "no_normalize"
        guard numbers.count == options.count - (isNormalized ? 0 : 1) else { return nil }
        let weights = numbers.isEmpty ? texts.map { _ in 1 } : numbers
        guard weights.count == texts.count else {
            throw .weightCount(operation: name, prompts: texts.count, weights: weights.count)
        }
        guard name == "blend" else {
            return zip(texts, weights).map {
                CompelPrompt.Part(terms: [.init(fragments: $0, share: 1)], weight: $1)
            }
        }
        let sum = isNormalized ? weights.reduce(0, +) : 1
        guard sum != 0 else { throw .weightSum(weights: weights) }
        let terms = zip(texts, weights).map { CompelPrompt.Term(fragments: $0, share: $1 / sum) }
        return [CompelPrompt.Part(terms: terms, weight: 1)]
    }

    /// Words, brackets and quotations with commas between.
    private func targets(in range: Range<Int>) throws(PromptError) -> [[Fragment]]? {
        var texts: [[Fragment]] = []
        var place = range.lowerBound
        while true {
            place = skippingSpace(place)
            guard place < range.upperBound else { return nil }
            if let end = partners[place], end < range.upperBound {
                let inner = place + 1..<end
                // What is in quotation marks may have anything a prompt has.
                if let strict = try fragments(in: inner, weight: 1, depth: 1) {
                    texts.append(fused(strict))
                } else if scalars[place] == "\"" {
                    texts.append(fused(try freely(in: inner)))
                } else {
                    return nil
                }
                place = end + 1
            } else if let end = endOfWord(at: place, in: range) {
                texts.append([Fragment(text: unescaped(place..<end), weight: 1)])
                place = end
            } else {
                return nil
            }
            place = skippingSpace(place)
            if place >= range.upperBound { return texts }
            guard scalars[place] == "," else { return nil }
            place += 1
        }
    }

    /// The prompt as one text.
    func text() throws(PromptError) -> CompelPrompt.Part {
        let fragments = fused(try freely(in: 0..<scalars.count))
        return CompelPrompt.Part(terms: [.init(fragments: fragments, share: 1)], weight: 1)
    }

    // MARK: Texts

    /// Everything in a range; what is no syntax is words up to the next space.
    private func freely(in range: Range<Int>) throws(PromptError) -> [Fragment] {
        var result: [Fragment] = []
        var place = skippingSpace(range.lowerBound)
        while place < range.upperBound {
            if let (read, end) = try weighted(at: place, in: range, weight: 1, depth: 0) {
                result += read
                place = end
            } else {
                var end = place
                while end < range.upperBound, !scalars[end].properties.isWhitespace { end += 1 }
                result.append(Fragment(text: unescaped(place..<end), weight: 1))
                place = end
            }
            place = skippingSpace(place)
        }
        return result
    }

    /// What brackets hold; nil where it has signs that brackets cannot hold.
    private func fragments(in range: Range<Int>, weight: Double, depth: Int) throws(PromptError)
        -> [Fragment]?
    {
        guard depth < Self.depthLimit else { return nil }
        var result: [Fragment] = []
        var place = skippingSpace(range.lowerBound)
        while place < range.upperBound {
            if let (read, end) = try weighted(at: place, in: range, weight: weight, depth: depth) {
                result += read
                place = end
            } else if let end = endOfWord(at: place, in: range) {
                result.append(Fragment(text: unescaped(place..<end), weight: weight))
                place = end
            } else if scalars[place] == "," || scalars[place] == "." {
                result.append(Fragment(text: String(scalars[place]), weight: weight))
                place += 1
            } else {
                return nil
            }
            place = skippingSpace(place)
        }
        return result
    }

    /// Brackets or a quotation with what is behind them, or a word with signs behind it.
    private func weighted(
        at start: Int, in range: Range<Int>, weight: Double, depth: Int
    ) throws(PromptError) -> ([Fragment], end: Int)? {
        if let end = partners[start], end < range.upperBound {
            let (factor, after) = try factor(at: end + 1, in: range, takesNumber: true)
            guard
                let inner = try fragments(
                    in: start + 1..<end, weight: weight * (factor ?? 1), depth: depth + 1)
            else { return nil }
            return (inner, after)
        }
        guard let end = endOfWord(at: start, in: range) else { return nil }
        let (factor, after) = try factor(at: end, in: range, takesNumber: false)
        guard let factor else { return nil }
        return ([Fragment(text: unescaped(start..<end), weight: weight * factor)], after)
    }

    /// `++`, `-`, `1.3` or `.attend(…)`, and what is behind it.
    private func factor(at start: Int, in range: Range<Int>, takesNumber: Bool) throws(PromptError)
        -> (Double?, end: Int)
    {
        for name in ["swap", "withLora", "useLora"] where starts(with: ".\(name)(", at: start) {
            throw .unsupported(operation: name)
        }
        if starts(with: ".attend(", at: start), let close = partners[start + 7] {
            let inner = string(start + 8..<close).trimmingCharacters(in: .whitespaces)
            if let factor = signs(inner) ?? number(inner) { return (factor, close + 1) }
        }
        var end = start
        while end < range.upperBound, let sign = Optional(scalars[start]), sign == "+" || sign == "-",
            scalars[end] == sign
        { end += 1 }
        if end > start { return (signs(string(start..<end)), end) }
        guard takesNumber else { return (nil, start) }
        var hasPoint = false
        while end < range.upperBound, ("0"..."9").contains(scalars[end]) || scalars[end] == "." && !hasPoint {
            hasPoint = hasPoint || scalars[end] == "."
            end += 1
        }
        guard let factor = number(string(start..<end)) else { return (nil, start) }
        return (factor, end)
    }

    private func signs(_ text: String) -> Double? {
        guard let first = text.first, first == "+" || first == "-", text.allSatisfy({ $0 == first }) else {
            return nil
        }
        return pow(first == "+" ? 1.1 : 0.9, Double(text.count))
    }

    private func number(_ text: String) -> Double? { Double(text).flatMap { $0.isFinite ? $0 : nil } }

    // MARK: Words

    /// Where a word that has no sign of the syntax ends; nil where there is none.
    private func endOfWord(at start: Int, in range: Range<Int>) -> Int? {
        var end = start
        while end < range.upperBound {
            let scalar = scalars[end]
            let next = end + 1 < range.upperBound ? scalars[end + 1] : nil
            if scalar == "\\", let next, Self.syntax.contains(next) {
                end += 2
            } else if scalar == "+" || scalar == "-", let next, !next.properties.isWhitespace,
                !Self.syntax.contains(next)
            {
                end += 1
            } else if scalar.properties.isWhitespace || Self.syntax.contains(scalar) {
                break
            } else {
                end += 1
            }
        }
        return end > start ? end : nil
    }

    private func skippingSpace(_ start: Int) -> Int {
        var place = start
        while place < scalars.count, scalars[place].properties.isWhitespace { place += 1 }
        return place
    }

    private func starts(with text: String, at place: Int) -> Bool {
        scalars.dropFirst(place).starts(with: text.unicodeScalars)
    }

    private func string(_ range: Range<Int>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[range])
        return String(view)
    }

    private func unescaped(_ range: Range<Int>) -> String {
        var view = String.UnicodeScalarView()
        var index = range.lowerBound
        while index < range.upperBound {
            if scalars[index] == "\\", index + 1 < range.upperBound, Self.syntax.contains(scalars[index + 1])
            {
                index += 1
            }
            view.append(scalars[index])
            index += 1
        }
        return String(view)
    }

    /// Neighbours of one weight as one.
    private func fused(_ fragments: [Fragment]) -> [Fragment] {
        if fragments.isEmpty { return [Fragment(text: "", weight: 1)] }
        return fragments.reduce(into: []) { result, fragment in
            if let last = result.last, last.weight == fragment.weight {
                result[result.count - 1].text += " " + fragment.text
            } else {
                result.append(fragment)
            }
        }
    }
}
