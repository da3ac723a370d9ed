/// The ids of the tokens that have a part, and the tokens that are looked for in prompts.
struct TokenRoles {
    let start: Int32
    let end: Int32
    let padding: Int32
    let unknown: Int32
    private(set) var addedTokens: [(content: String, id: Int32, isNormalized: Bool)] = []

    /// - Parameter added: The tokens that the files list as added; the named ones join them.
    /// - Throws: ``TokenizerError/missingToken(file:role:token:)``.
    init(
        _ configuration: CLIPTokenizerConfiguration, added: [CLIPTokenizerConfiguration.AddedToken],
        vocabulary: Vocabulary
    ) throws(TokenizerError) {
        func id(_ content: String, _ role: String) throws(TokenizerError) -> Int32 {
            if let id = vocabulary.id(of: content) { return id }
            throw .missingToken(file: configuration.file, role: role, token: content)
        }
        start = try id(configuration.start.content, "bos_token")
        end = try id(configuration.end.content, "eos_token")
        padding = try id(configuration.padding.content, "pad_token")
        unknown = try id(configuration.unknown.content, "unk_token")
        for token in added {
            addedTokens.append((token.content, try id(token.content, "an added token"), token.isNormalized))
        }

        // One token may have several parts and be written differently for each. As in transformers 5, of
        // several objects the first counts, and a text alone, which is not looked for in normalized text,
        // counts before them.
        let listed = Set(addedTokens.map(\.id))
        var named: [(content: String, id: Int32, isNormalized: Bool)] = []
        let tokens = [configuration.start, configuration.end, configuration.unknown, configuration.padding]
        for token in tokens + configuration.additional {
            let id = try id(token.content, "a special token")
            guard !listed.contains(id) else { continue }
            if let index = named.firstIndex(where: { $0.id == id }) {
                if token.isNormalized == nil { named[index].isNormalized = false }
            } else {
                named.append((token.content, id, token.isNormalized ?? false))
            }
        }
        addedTokens += named
    }
}
