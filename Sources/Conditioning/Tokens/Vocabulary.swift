/// The tokens by their ids, which are 0, 1, 2, … without a gap, and the ids by the tokens' bytes.
struct Vocabulary: Sendable {
    /// The most tokens that there can be: an id is an `Int32`, and so is the count.
    static let maximumCount = Int(Int32.max)

    /// The token of each id, as the file writes it.
    let tokens: [String]
    /// A hash table with open addressing: an id, or −1 where the slot is free.
    private var slots: [Int32]

    var count: Int { tokens.count }

    /// - Parameters:
    ///   - entries: Every token once, in any order.
    ///   - file: The name that errors give the vocabulary.
    /// - Throws: ``TokenizerError`` on an id out of range, an id of two tokens, and an id of none.
    init(_ entries: [(token: String, id: Int)], file: String) throws(TokenizerError) {
        var tokens = [String?](repeating: nil, count: entries.count)
        var beyond: (token: String, id: Int)?
        for (token, id) in entries {
            guard (0..<Self.maximumCount).contains(id) else {
                throw .invalidID(file: file, token: token, id: String(id))
            }
            guard id < tokens.count else {
                beyond = (token, id)
                continue
            }
            if let first = tokens[id] {
                throw .duplicateID(file: file, id: id, first: first, second: token)
            }
            tokens[id] = token
        }
        if beyond != nil, let missing = tokens.firstIndex(of: nil) {
            throw .missingID(file: file, id: missing, count: tokens.count)
        }
        self.tokens = tokens.compactMap(\.self)

        var capacity = 16
        while capacity < 2 * self.tokens.count { capacity *= 2 }
        slots = [Int32](repeating: -1, count: capacity)
        for (id, token) in self.tokens.enumerated() {
            var token = token
            let free = token.withUTF8 { slot(of: UnsafeRawBufferPointer($0)) }
            slots[free] = Int32(id)
        }
    }

    /// The id of a token, or nil where there is none of these bytes.
    func id(of token: String) -> Int32? {
        var token = token
        return token.withUTF8 { id(of: UnsafeRawBufferPointer($0)) }
    }

    func id(of bytes: UnsafeRawBufferPointer) -> Int32? {
        let id = slots[slot(of: bytes)]
        return id < 0 ? nil : id
    }

    /// The slot of the token with these bytes, or the free one where it would be.
    private func slot(of bytes: UnsafeRawBufferPointer) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: bytes)
        var slot = hasher.finalize() & (slots.count - 1)
        while slots[slot] >= 0, !Self.isEqual(tokens[Int(slots[slot])], bytes) {
            slot = (slot + 1) & (slots.count - 1)
        }
        return slot
    }

    private static func isEqual(_ token: String, _ bytes: UnsafeRawBufferPointer) -> Bool {
        token.utf8.count == bytes.count && token.utf8.elementsEqual(bytes)
    }
}
