import Foundation

/// A piece of a prompt, and how strong it is.
public struct WeightedText: Sendable, Hashable {
    public var text: String
    public var weight: Float
    /// Whether this is `BREAK`, which ends a chunk, and no text.
    public var isBreak: Bool

    init(_ text: String, weight: Float = 1, isBreak: Bool = false) {
        self.text = text
        self.weight = weight
        self.isBreak = isBreak
    }
}

/// AUTOMATIC1111's attention syntax: `(text)` is 1.1 times as strong, `[text]` 1.1 times less, `(text:1.3)` 1.3 times;
/// brackets in brackets multiply; one that is not closed goes to the end; a backslash takes a bracket's meaning away.
public enum AttentionSyntax {
    /// - Returns: At least one piece; neighbours of one weight are one.
    public static func parse(_ prompt: String) -> [WeightedText] {
        var pieces: [Piece] = []
        var (round, square): ([Int], [Int]) = ([], [])
        func multiply(from start: Int, by factor: Double) {
            for index in pieces.indices.dropFirst(start) { pieces[index].weight *= factor }
        }
        for token in tokens(of: prompt) {
            switch token {
            case .open("("): round.append(pieces.count)
            case .open: square.append(pieces.count)
            case .weight(let weight, _) where !round.isEmpty: multiply(from: round.removeLast(), by: weight)
            case .close(")") where !round.isEmpty: multiply(from: round.removeLast(), by: 1.1)
            case .close("]") where !square.isEmpty: multiply(from: square.removeLast(), by: 1 / 1.1)
            case .weight(_, let text), .text(let text): pieces += broken(text)
            case .close(let bracket): pieces.append(Piece(text: String(bracket)))
            case .escaped(let character): pieces.append(Piece(text: String(character)))
            }
        }
        for start in round { multiply(from: start, by: 1.1) }
        for start in square { multiply(from: start, by: 1 / 1.1) }
        return merged(pieces).map { piece in
            // A break whose brackets have changed its weight is a word.
            piece == .chunkEnd
                ? WeightedText("", isBreak: true) : WeightedText(piece.text, weight: Float(piece.weight))
        }
    }

    /// A text while brackets change its weight, which is multiplied in double precision as Python does.
    private struct Piece: Equatable {
        var text: String
        var weight = 1.0

        /// What ends a chunk where the weight is still that.
        static let chunkEnd = Piece(text: "BREAK", weight: -1)
    }

    private enum Token {
        case escaped(Character)
        case open(Character)
        case close(Character)
        /// `:1.3)`, and how it was written.
        case weight(Double, String)
        case text(String)
    }

    private static func tokens(of prompt: String) -> [Token] {
        // Characters as Unicode scalars, so that a combining mark does not hide a bracket.
        let scalars = Array(prompt.unicodeScalars)
        var tokens: [Token] = []
        var text = String.UnicodeScalarView()
        func flush() {
            guard !text.isEmpty else { return }
            tokens.append(.text(String(text)))
            text = .init()
        }
        var index = 0
        while index < scalars.count {
            let scalar = scalars[index]
            switch scalar {
            case "\\":
                flush()
                let next = index + 1 < scalars.count ? scalars[index + 1] : nil
                if let next, "()[]\\".unicodeScalars.contains(next) {
                    tokens.append(.escaped(Character(next)))
                    index += 1
                } else {
                    // A backslash alone is left out.
                    tokens.append(.text(""))
                }
            case "(", "[":
                flush()
                tokens.append(.open(Character(scalar)))
            case ")", "]":
                flush()
                tokens.append(.close(Character(scalar)))
            case ":":
                flush()
                if let (weight, end) = weight(in: scalars, at: index) {
                    let written = String.UnicodeScalarView(scalars[index..<end])
                    tokens.append(.weight(weight, String(written)))
                    index = end - 1
                } else {
                    tokens.append(.text(":"))
                }
            default: text.append(scalar)
            }
            index += 1
        }
        flush()
        return tokens
    }

    /// `: 1.3 )` at a place: the number, and what is behind it.
    private static func weight(in scalars: [Unicode.Scalar], at colon: Int) -> (Double, end: Int)? {
        var index = colon + 1
        func skipSpaces() {
            while index < scalars.count, scalars[index].properties.isWhitespace { index += 1 }
        }
        skipSpaces()
        var number = ""
        if index < scalars.count, scalars[index] == "+" || scalars[index] == "-" {
            number.unicodeScalars.append(scalars[index])
            index += 1
        }
        while index < scalars.count, scalars[index] == "." || ("0"..."9").contains(scalars[index]) {
            number.unicodeScalars.append(scalars[index])
            index += 1
        }
        skipSpaces()
        guard index < scalars.count, scalars[index] == ")", let weight = Double(number),
            Float(weight).isFinite
        else { return nil }
        return (weight, index + 1)
    }

    /// A text with the breaks in it; white space around them is theirs.
    private static func broken(_ text: String) -> [Piece] {
        let scalars = Array(text.unicodeScalars)
        var pieces: [Piece] = []
        var start = 0
        for place in scalars.places(ofWord: "BREAK") {
            let before = scalars[start..<place.lowerBound]
            let end = before.lastIndex { !$0.isSpace }.map { $0 + 1 } ?? start
            let text = String(String.UnicodeScalarView(scalars[start..<end]))
            pieces += [Piece(text: text), .chunkEnd]
            start = scalars[place.upperBound...].firstIndex { !$0.isSpace } ?? scalars.count
        }
        return pieces + [Piece(text: String(String.UnicodeScalarView(scalars[start...])))]
    }

    private static func merged(_ pieces: [Piece]) -> [Piece] {
        var result: [Piece] = []
        for piece in pieces {
            if let last = result.last, last.weight == piece.weight {
                result[result.count - 1].text += piece.text
            } else {
                result.append(piece)
            }
        }
        return result.isEmpty ? [Piece(text: "")] : result
    }
}
