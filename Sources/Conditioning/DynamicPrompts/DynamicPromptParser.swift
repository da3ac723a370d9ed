import Foundation

/// Reads choices and wildcards; braces without a partner are text.
struct DynamicPromptParser {
    typealias Node = DynamicPrompt.Node
    private let scalars: [Unicode.Scalar]
    /// The place of the closing brace of each opening one.
    private var partners: [Int: Int] = [:]
    /// Deeper braces are text.
    private static let depthLimit = 64

    init(_ text: String) {
        scalars = Array(text.unicodeScalars)
        var open: [Int] = []
        var index = 0
        while index < scalars.count {
            switch scalars[index] {
            case "\\": index += 1
            case "{": open.append(index)
            case "}": if let start = open.popLast() { partners[start] = index }
            default: break
            }
            index += 1
        }
    }

    mutating func nodes() -> [Node] { nodes(in: 0..<scalars.count, depth: 0) }

    private func nodes(in range: Range<Int>, depth: Int) -> [Node] {
        var nodes: [Node] = []
        var text = String.UnicodeScalarView()
        func flush() {
            if !text.isEmpty { nodes.append(.text(String(text))) }
            text = .init()
        }
        var index = range.lowerBound
        while index < range.upperBound {
            let scalar = scalars[index]
            if scalar == "\\", index + 1 < range.upperBound {
                index += 1
                // The other backslashes are the attention syntax's.
                if scalars[index] != "{" && scalars[index] != "}" { text.append(scalar) }
                text.append(scalars[index])
            } else if scalar == "{", depth < Self.depthLimit, let end = partners[index] {
                flush()
                nodes.append(.choice(choice(in: index + 1..<end, depth: depth + 1)))
                index = end
            } else if scalar == "_", let end = endOfWildcard(at: index, before: range.upperBound) {
                flush()
                nodes.append(.wildcard(string(index + 2..<end)))
                index = end + 1
            } else {
                text.append(scalar)
            }
            index += 1
        }
        flush()
        return nodes
    }

    /// Where the name that begins behind `__` ends, if it is one: letters, digits, and `-_/.*?` of paths.
    private func endOfWildcard(at start: Int, before limit: Int) -> Int? {
        guard start + 1 < limit, scalars[start + 1] == "_" else { return nil }
        var index = start + 2
        while index + 1 < limit {
            if scalars[index] == "_", scalars[index + 1] == "_", index > start + 2 { return index }
            let scalar = scalars[index]
            let isName = scalar.properties.isAlphabetic || "0123456789-_/.*? ".unicodeScalars.contains(scalar)
            guard isName else { return nil }
            index += 1
        }
        return nil
    }

    private func choice(in range: Range<Int>, depth: Int) -> DynamicPrompt.Choice {
        var range = range
        var (count, separator) = (1...1, ",")
        let bounds = places(of: "$$", in: range)
        let bars = places(of: "|", in: range)
        if let end = bounds.first, end < bars.first ?? range.upperBound,
            let bound = bound(string(range.lowerBound..<end))
        {
            count = bound
            var start = end + 2
            // A separator may have bars in it: what is between the first two pairs of dollars.
            if bounds.count > 1 {
                separator = string(start..<bounds[1])
                start = bounds[1] + 2
            }
            range = start..<range.upperBound
        }
        let inner = bars.filter { $0 >= range.lowerBound }
        let starts = [range.lowerBound] + inner.map { $0 + 1 }
        let options = zip(starts, inner + [range.upperBound]).map { option(in: $0..<$1, depth: depth) }
        return DynamicPrompt.Choice(options: options, count: count, separator: separator)
    }

    /// `2`, `1-2`, `-2` or `2-`.
    private func bound(_ text: String) -> ClosedRange<Int>? {
        let parts = text.trimmingCharacters(in: .whitespaces).split(
            separator: "-", omittingEmptySubsequences: false)
        func number(_ part: Substring, else missing: Int) -> Int? {
            part.isEmpty ? missing : part.allSatisfy(\.isNumber) ? Int(part) : nil
        }
        switch parts.count {
        case 1: return number(parts[0], else: -1).flatMap { $0 < 0 ? nil : $0...$0 }
        case 2:
            guard let low = number(parts[0], else: 0), let high = number(parts[1], else: Int.max) else {
                return nil
            }
            return min(low, high)...max(low, high)
        default: return nil
        }
    }

    /// An option with its weight; white space around it is not its own.
    private func option(in range: Range<Int>, depth: Int) -> DynamicPrompt.Choice.Option {
        var range = range
        while let first = range.first, scalars[first].properties.isWhitespace { range.removeFirst() }
        while let last = range.last, scalars[last].properties.isWhitespace { range.removeLast() }
        var weight = 1.0
        if let end = places(of: "::", in: range).first,
            let number = Double(string(range.lowerBound..<end).trimmingCharacters(in: .whitespaces)),
            number.isFinite, number >= 0
        {
            weight = min(number, 1e9)
            range = end + 2..<range.upperBound
        }
        return DynamicPrompt.Choice.Option(weight: weight, nodes: nodes(in: range, depth: depth))
    }

    /// The places of a separator that no inner brace holds.
    private func places(of separator: String, in range: Range<Int>) -> [Int] {
        let wanted = Array(separator.unicodeScalars)
        var places: [Int] = []
        var index = range.lowerBound
        while index + wanted.count <= range.upperBound {
            if scalars[index] == "\\" {
                index += 1
            } else if let end = partners[index], end < range.upperBound {
                index = end
            } else if scalars[index..<index + wanted.count].elementsEqual(wanted) {
                places.append(index)
                index += wanted.count - 1
            }
            index += 1
        }
        return places
    }

    private func string(_ range: Range<Int>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[range])
        return String(view)
    }
}

extension Range<Int> {
    fileprivate mutating func removeFirst() { self = lowerBound + 1..<upperBound }
    fileprivate mutating func removeLast() { self = lowerBound..<upperBound - 1 }
}
