/// The tensors of a pickle by their names, and what else it says in words.
struct StateDictionary {
    /// More dictionaries in one another than this are none of weights.
    private static let maximumDepth = 16
    /// So many members are looked at: a dictionary may be named again and again, and is gone through each time.
    private static let maximumVisits = 1_000_000
    static let maximumTensorCount = 100_000
    /// In bytes.
    private static let maximumNameLength = 4096
    /// Of all names: a dictionary that is named again and again has its tensors each time.
    private static let maximumNamesLength = 16 << 20

    private(set) var tensors: [(name: String, tensor: TorchTensor)] = []
    /// Texts and numbers beside the weights: `global_step`, `epoch`, ….
    private(set) var metadata: [String: String] = [:]

    /// Finds the weights: those of `state_dict` where there is one, as Lightning writes it, else those of the whole. A
    /// tensor alone is named `tensor`.
    /// Dictionaries in dictionaries become names with dots.
    ///
    /// - Throws: ``TorchError``.
    init(_ values: PickleValues, root: PickleValues.Index, path: String) throws(TorchError) {
        var names: Set<ExactText> = []
        if case .tensor(let tensor) = values[root] {
            tensors = [("tensor", tensor)]
            return
        }
        var visits = 0
        let members = Self.members(of: root, values, visits: &visits) ?? []
        let inner = members.last { values.text($0.key) == "state_dict" }?.value
        let weights = inner.flatMap { Self.members(of: $0, values, visits: &visits) } ?? members
        guard visits <= Self.maximumVisits else { throw Self.tooMany(path) }
        for (key, value) in members {
            guard let key = values.text(key), key.utf8.count <= 256 else { continue }
            switch values[value] {
            case .text(let text) where text.utf8.count <= 4096: metadata[key] = text
            case .integer(let number): metadata[key] = "\(number)"
            case .real(let number): metadata[key] = "\(number)"
            default: break
            }
        }
        // What is still to be looked at, in the order of the file when it is taken from the end.
        var namesLength = 0
        var pending = weights.reversed().map { (prefix: "", depth: 0, member: $0) }
        while let (prefix, depth, member) = pending.popLast() {
            guard let key = values.text(member.key) else { continue }
            if case .tensor(let tensor) = values[member.value] {
                let name = try Self.name(prefix, key, path: path)
                guard !name.hasControlCharacter else {
                    throw TorchError(
                        path: path, problem: .name(name, reason: "the name has a control character"))
                }
                namesLength += name.utf8.count
                guard namesLength <= Self.maximumNamesLength else {
                    throw TorchError(
                        path: path,
                        problem: .name(
                            name,
                            reason: "the names take more than \(Self.maximumNamesLength) bytes together"))
                }
                guard names.insert(ExactText(name)).inserted else {
                    throw TorchError(path: path, problem: .name(name, reason: "two tensors have this name"))
                }
                guard tensors.count < Self.maximumTensorCount else {
                    throw TorchError(
                        path: path,
                        problem: .name(name, reason: "there are more than \(Self.maximumTensorCount) tensors")
                    )
                }
                tensors.append((name, tensor))
            } else if let members = Self.members(of: member.value, values, visits: &visits) {
                guard visits <= Self.maximumVisits else { throw Self.tooMany(path) }
                guard depth < Self.maximumDepth else {
                    throw TorchError(path: path, problem: .dictionaryDepth(limit: Self.maximumDepth))
                }
                let name = try Self.name(prefix, key, path: path) + "."
                pending += members.reversed().map { (name, depth + 1, $0) }
            }
        }
        guard !tensors.isEmpty else {
            throw TorchError(path: path, problem: .noTensors(found: values.summary(root)))
        }
    }

    private static func tooMany(_ path: String) -> TorchError {
        TorchError(path: path, problem: .dictionaryMembers(limit: maximumVisits))
    }

    /// The members of a dictionary, of which the last of a key counts, or of a module's parameters; none of them where
    /// too many were visited already.
    ///
    /// - Parameter visits: How many members were gone through, these among them.
    private static func members(
        of index: PickleValues.Index, _ values: PickleValues, visits: inout Int
    ) -> [(key: PickleValues.Index, value: PickleValues.Index)]? {
        switch values[index] {
        case .dictionary(let members):
            visits += 1 + members.count
            guard visits <= maximumVisits else { return [] }
            var places: [ExactText: Int] = [:]
            for (place, member) in members.enumerated() {
                if let key = values.text(member.key) { places[ExactText(key)] = place }
            }
            return members.enumerated().filter { place, member in
                values.text(member.key).map { places[ExactText($0)] == place } ?? false
            }.map(\.element)
        case .module(let state?):
            guard case .dictionary(let members) = values[state] else { return nil }
            visits += 1 + members.count
            guard visits <= maximumVisits else { return [] }
            guard let parameters = members.last(where: { values.text($0.key) == "_parameters" }),
                case .dictionary = values[parameters.value]
            else { return nil }
            return Self.members(of: parameters.value, values, visits: &visits)
        default: return nil
        }
    }

    private static func name(_ prefix: String, _ key: String, path: String) throws(TorchError) -> String {
        let length = prefix.utf8.count + key.utf8.count
        guard length <= maximumNameLength else {
            throw TorchError(
                path: path,
                problem: .name(
                    prefix + key,
                    reason: "a name of \(length) bytes, where at most \(maximumNameLength) are read"))
        }
        return prefix + key
    }
}
