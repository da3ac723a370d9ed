import Checkpoints
import Foundation

/// A list of merges as a file has it, from which ``BytePairMerges`` are made for a vocabulary.
struct MergesFile {
    /// The most bytes that `merges.txt` may have: 64 MiB, as for a JSON document.
    static let maximumByteCount = JSONValue.maximumByteCount

    private enum Source {
        case lines([UInt8])
        case elements([JSONValue])
    }

    private let file: String
    private let source: Source

    /// - Throws: `FileError`.
    init(_ url: URL) throws(FileError) {
        file = url.path
        source = .lines(try [UInt8](contentsOf: url, limit: Self.maximumByteCount))
    }

    /// - Parameter lines: Two tokens a line, of a file.
    init(lines: [UInt8], file: String) {
        self.file = file
        source = .lines(lines)
    }

    /// - Parameter elements: The elements of `model.merges`: `"a b"`, or `["a", "b"]`.
    init(elements: [JSONValue], file: String) {
        self.file = file
        source = .elements(elements)
    }

    /// - Throws: ``TokenizerError`` on a merge that is not two tokens, or not of the vocabulary's.
    func merges(of vocabulary: Vocabulary) throws(TokenizerError) -> BytePairMerges {
        switch source {
        case .lines(let bytes): try merges(inLines: bytes, vocabulary)
        case .elements(let elements): try merges(elements, vocabulary)
        }
    }

    private func merges(inLines bytes: [UInt8], _ vocabulary: Vocabulary) throws(TokenizerError)
        -> BytePairMerges
    {
        var reader = MergeReader(file: file, vocabulary: vocabulary, capacity: bytes.count / 8)
        let end = (bytes.lastIndex { $0 != 0x0A && $0 != 0x0D }).map { $0 + 1 } ?? 0
        var start = 0
        var line = 0
        while start < end {
            line += 1
            let lineEnd = bytes[start..<end].firstIndex(of: 0x0A) ?? end
            var text = bytes[start..<lineEnd]
            if text.last == 0x0D { text.removeLast() }
            if !text.starts(with: "#version".utf8) { try reader.append(text, .line(line)) }
            start = lineEnd + 1
        }
        return reader.merges
    }

    private func merges(_ elements: [JSONValue], _ vocabulary: Vocabulary) throws(TokenizerError)
        -> BytePairMerges
    {
        var reader = MergeReader(file: file, vocabulary: vocabulary, capacity: elements.count)
        for (index, element) in elements.enumerated() {
            if let text = element.stringValue {
                try reader.append(Array(text.utf8)[...], .element(index))
            } else if let pair = element.arrayValue, pair.count == 2, let left = pair[0].stringValue,
                let right = pair[1].stringValue
            {
                try reader.append(Array(left.utf8)[...], Array(right.utf8)[...], .element(index))
            } else {
                throw .malformedMerge(file: file, place: .element(index), text: "something else")
            }
        }
        return reader.merges
    }
}

/// Looks the merges' tokens up as they come.
private struct MergeReader {
    let file: String
    let vocabulary: Vocabulary
    var merges: BytePairMerges
    private var rank = 0
    private var joined: [UInt8] = []

    init(file: String, vocabulary: Vocabulary, capacity: Int) {
        self.file = file
        self.vocabulary = vocabulary
        merges = BytePairMerges(capacity: capacity)
    }

    /// Appends a merge that is written as two tokens with a space between.
    mutating func append(_ text: ArraySlice<UInt8>, _ place: TokenizerError.MergePlace) throws(TokenizerError)
    {
        let space = UInt8(ascii: " ")
        guard let cut = text.firstIndex(of: space), cut > text.startIndex, cut + 1 < text.endIndex,
            !text[(cut + 1)...].contains(space)
        else { throw .malformedMerge(file: file, place: place, text: String(decoding: text, as: UTF8.self)) }
        try append(text[..<cut], text[(cut + 1)...], place)
    }

    mutating func append(
        _ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>, _ place: TokenizerError.MergePlace
    ) throws(TokenizerError) {
        joined.removeAll(keepingCapacity: true)
        joined.append(contentsOf: left)
        joined.append(contentsOf: right)
        let (leftID, rightID) = (try id(of: left, place), try id(of: right, place))
        merges.append(leftID, rightID, into: try id(of: joined[...], place), rank: rank)
        rank += 1
    }

    private func id(of token: ArraySlice<UInt8>, _ place: TokenizerError.MergePlace) throws(TokenizerError)
        -> Int32
    {
        if let id = token.withUnsafeBytes({ vocabulary.id(of: $0) }) { return id }
        throw .unknownTokenInMerge(file: file, place: place, token: String(decoding: token, as: UTF8.self))
    }
}
