import TensorGraph

/// Weights under other names than their files give them.
public struct RenamedWeights: WeightStorage {
    private let base: any WeightStorage
    private let originalNames: [String: String]

    fileprivate init(
        _ base: any WeightStorage, absent: [String], newName: (String) throws -> String
    ) throws {
        var originalNames: [String: String] = [:]
        var collisions: Set<String> = []
        for name in base.names {
            let newName = try newName(name)
            if originalNames.updateValue(name, forKey: newName) != nil { collisions.insert(newName) }
        }
        guard absent.isEmpty, collisions.isEmpty else {
            throw CheckpointError.renaming(
                origin: base.origin, absent: absent.sorted(), collisions: collisions.sorted())
        }
        self.base = base
        self.originalNames = originalNames
    }

    public var origin: String { base.origin }
    public var names: [String] { Array(originalNames.keys) }

    public func entry(named name: String) -> WeightEntry? {
        originalNames[name].flatMap { base.entry(named: $0) }
    }

    public func map(additionalBytes: Int) throws -> MappedWeights {
        let weights = try base.map(additionalBytes: additionalBytes)
        return MappedWeights(
            bytes: weights.bytes, additionalOffset: weights.additionalOffset,
            offsets: originalNames.compactMapValues { weights.offset(of: $0) },
            check: { try weights.validate() }, releaseFilePages: { weights.releaseFilePages() },
            release: { withExtendedLifetime(weights) {} })
    }
}

extension WeightStorage {
    /// The same weights with other names, by an exact table from old to new; a weight that the table does not
    /// list keeps its name.
    ///
    /// - Throws: ``CheckpointError/renaming(origin:absent:collisions:)`` where the table lists a weight that
    ///   is not there, or two weights would have one name.
    public func renamed(_ table: [String: String]) throws -> RenamedWeights {
        let absent = table.keys.filter { entry(named: $0) == nil }
        return try RenamedWeights(self, absent: absent) { table[$0] ?? $0 }
    }

    /// The same weights with the names that a function of the old ones gives.
    ///
    /// - Throws: ``CheckpointError/renaming(origin:absent:collisions:)`` where two weights would have one
    ///   name, and what the function throws.
    public func renamed(by newName: (String) throws -> String) throws -> RenamedWeights {
        try RenamedWeights(self, absent: [], newName: newName)
    }
}
