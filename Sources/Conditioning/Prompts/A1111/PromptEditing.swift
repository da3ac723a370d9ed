import Foundation

/// AUTOMATIC1111's prompt editing: `[from:to:when]`, `[to:when]` and `[from::when]` change the text at a step, a whole
/// number, or at a fraction of the steps; `[a|b]` alternates from step to step.
public enum PromptEditing {
    /// The texts of a prompt, each with the last step that it is used at.
    ///
    /// - Parameters:
    ///   - steps: From 1.
    ///   - firstSteps: Of the pass before, where this is the second of two. Its steps are counted on from there, and its
    ///     fractions are from 1 to 2: what has changed in the first pass stays so. Nil for the only pass or the first.
    public static func stages(of prompt: String, steps: Int, after firstSteps: Int? = nil) -> [(
        lastStep: Int, text: String
    )] {
        let nodes = Parser(prompt, steps: steps, after: firstSteps).parse()
        var ends: Set<Int> = [steps]
        for node in nodes { node.collectEnds(steps: steps, into: &ends) }
        var stages: [(lastStep: Int, text: String)] = []
        for end in ends.sorted() where end > 0 {
            let text = nodes.map { $0.text(at: end) }.joined()
            if stages.last?.text == text { stages.removeLast() }
            stages.append((end, text))
        }
        return stages.isEmpty ? [(steps, prompt)] : stages
    }

    fileprivate indirect enum Node {
        case text(String)
        /// - Parameter lastStep: Of the text before; below 1 where that is never used.
        case edit(before: [Node], after: [Node], lastStep: Int)
        case alternation([[Node]])

        func collectEnds(steps: Int, into ends: inout Set<Int>) {
            switch self {
            case .text: break
            case .edit(let before, let after, let lastStep):
                if lastStep >= 1 { ends.insert(lastStep) }
                for node in before + after { node.collectEnds(steps: steps, into: &ends) }
            case .alternation(let options):
                ends.formUnion(1...max(steps, 1))
                for node in options.joined() { node.collectEnds(steps: steps, into: &ends) }
            }
        }

        func text(at step: Int) -> String {
            switch self {
            case .text(let text): return text
            case .edit(let before, let after, let lastStep):
                return (step <= lastStep ? before : after).map { $0.text(at: step) }.joined()
            case .alternation(let options):
                return options[(step - 1) % options.count].map { $0.text(at: step) }.joined()
            }
        }
    }

    /// Reads nested brackets; those that have no partner are text.
    private struct Parser {
        private let scalars: [Unicode.Scalar]
        private let steps: Int
        private let firstSteps: Int?
        /// The place of the closing bracket of each opening one.
        private var partners: [Int: Int] = [:]
        /// Deeper brackets are text.
        private static let depthLimit = 64

        init(_ prompt: String, steps: Int, after firstSteps: Int?) {
            (self.steps, self.firstSteps) = (steps, firstSteps)
            scalars = Array(prompt.unicodeScalars)
            var open: [Int] = []
            var index = 0
            while index < scalars.count {
                switch scalars[index] {
                case "\\": index += 1
                case "[", "(": open.append(index)
                case "]", ")":
                    let wanted: Unicode.Scalar = scalars[index] == "]" ? "[" : "("
                    guard let place = open.lastIndex(where: { scalars[$0] == wanted }) else { break }
                    partners[open[place]] = index
                    open.removeSubrange(place...)
                default: break
                }
                index += 1
            }
        }

        func parse() -> [Node] { nodes(in: 0..<scalars.count, depth: 0) }

        private func text(_ range: Range<Int>) -> String {
            var view = String.UnicodeScalarView()
            view.append(contentsOf: scalars[range])
            return String(view)
        }

        private func nodes(in range: Range<Int>, depth: Int) -> [Node] {
            var result: [Node] = []
            var start = range.lowerBound
            var index = start
            while index < range.upperBound {
                defer { index += 1 }
                if scalars[index] == "\\" {
                    index += 1
                } else if scalars[index] == "[", let end = partners[index], end < range.upperBound,
                    depth < Self.depthLimit, let node = bracket(index + 1..<end, depth: depth + 1)
                {
                    result.append(.text(text(start..<index)))
                    result.append(node)
                    index = end
                    start = end + 1
                }
            }
            result.append(.text(text(min(start, range.upperBound)..<range.upperBound)))
            return result
        }

        /// An edit or an alternation; nil for brackets that only weaken.
        private func bracket(_ range: Range<Int>, depth: Int) -> Node? {
            let (colons, bars) = (places(of: ":", in: range), places(of: "|", in: range))
            if !bars.isEmpty {
                guard colons.isEmpty else { return nil }
                return .alternation(parts(of: range, at: bars).map { nodes(in: $0, depth: depth) })
            }
            guard colons.count == 1 || colons.count == 2 else { return nil }
            let parts = parts(of: range, at: colons)
            guard let lastStep = lastStep(text(parts[parts.count - 1])) else { return nil }
            let before = parts.count == 3 ? nodes(in: parts[0], depth: depth) : []
            let after = nodes(in: parts[parts.count - 2], depth: depth)
            return .edit(before: before, after: after, lastStep: lastStep)
        }

        /// The last step before a change, by what is written of it; nil for what is no number.
        private func lastStep(_ text: String) -> Int? {
            let number = text.trimmingCharacters(in: .whitespacesAndNewlines)
            guard let value = Double(number), value.isFinite,
                number.allSatisfy({ "+-.eE0123456789".contains($0) })
            else { return nil }
            let isFraction = number.contains(".")
            let passed = firstSteps.map { isFraction ? 1 : Double($0) } ?? 0
            let step = (value - passed) * (isFraction ? Double(steps) : 1)
            return min(Int(min(max(step, -1e9), 1e9)), steps)
        }

        private func parts(of range: Range<Int>, at separators: [Int]) -> [Range<Int>] {
            let starts = [range.lowerBound] + separators.map { $0 + 1 }
            return zip(starts, separators + [range.upperBound]).map { $0..<$1 }
        }

        /// The places of a separator that no inner bracket holds.
        private func places(of separator: Unicode.Scalar, in range: Range<Int>) -> [Int] {
            var places: [Int] = []
            var index = range.lowerBound
            while index < range.upperBound {
                if scalars[index] == "\\" {
                    index += 1
                } else if let end = partners[index], end < range.upperBound {
                    index = end
                } else if scalars[index] == separator {
                    places.append(index)
                }
                index += 1
            }
            return places
        }
    }
}
