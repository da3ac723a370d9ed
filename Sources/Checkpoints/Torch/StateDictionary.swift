/// The tensors of a pickle by their names, and what else it says in words.
struct StateDictionary {
    /// More dictionaries in one another than this are none of weights.
    private static let maximumDepth = 16
    static let maximumTensorCount = 100_000

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
        let members = Self.members(of: root, values) ?? []
        let inner = members.last { values.text($0.key) == "state_dict" }?.value
        let weights = inner.flatMap { Self.members(of: $0, values) } ?? members
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
        var pending = weights.reversed().map { (prefix: "", depth: 0, member: $0) }
        var visits = 0
        while let (prefix, depth, member) = pending.popLast() {
            visits += 1
            guard visits <= PickleValues.limit, depth <= Self.maximumDepth else {
                throw TorchError(
                    path: path, problem: .name(prefix, reason: "dictionaries are in one another without end"))
            }
            guard let key = values.text(member.key) else { continue }
            let name = prefix + key
            if case .tensor(let tensor) = values[member.value] {
                if let reason = Self.problem(name) {
                    throw TorchError(path: path, problem: .name(name, reason: reason))
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
            } else if let members = Self.members(of: member.value, values) {
                pending += members.reversed().map { (name + ".", depth + 1, $0) }
            }
        }
        guard !tensors.isEmpty else {
            throw TorchError(path: path, problem: .noTensors(found: values.summary(root)))
        }
    }

    /// The members of a dictionary, of which the last of a key counts, or of a module's parameters.
    private static func members(of index: PickleValues.Index, _ values: PickleValues) -> [(
        key: PickleValues.Index, value: PickleValues.Index
    )]? {
        switch values[index] {
        case .dictionary(let members):
            var places: [ExactText: Int] = [:]
            for (place, member) in members.enumerated() {
                if let key = values.text(member.key) { places[ExactText(key)] = place }
            }
            return members.enumerated().filter { place, member in
                values.text(member.key).map { places[ExactText($0)] == place } ?? false
            }.map(\.element)
        case .module(let state?):
            guard case .dictionary(let members) = values[state],
                let parameters = members.last(where: { values.text($0.key) == "_parameters" }),
                case .dictionary(let inner) = values[parameters.value]
            else { return nil }
            return inner
        default: return nil
        }
    }

    private static func problem(_ name: String) -> String? {
        if name.utf8.count > 4096 { return "a name of \(name.utf8.count) bytes" }
        return name.hasControlCharacter
            ? "the name has a control character" : nil
    }
}
