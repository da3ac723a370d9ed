import TensorGraph

/// Weights under other names than their files give them, each a weight of the files or a part of one.
public struct WeightView: WeightStorage {
    /// Where a weight comes from.
    public struct Source: Sendable, Hashable {
        /// Its name in the files.
        public let name: String
        /// The part of it, along its first axis: `index` of `count` equal ones.
        public let part: Part?
        /// Whether axes of size 1 behind the second are left out, as those of a 1×1 convolution that is used as a matrix.
        public let dropsUnitAxes: Bool

        public init(_ name: String, part: Part? = nil, dropsUnitAxes: Bool = false) {
            self.name = name
            self.part = part
            self.dropsUnitAxes = dropsUnitAxes
        }
    }

    /// One of several equal parts.
    public struct Part: Sendable, Hashable {
        public let index: Int
        public let count: Int

        public init(_ index: Int, of count: Int) {
            self.index = index
            self.count = count
        }
    }

    private let base: any WeightStorage
    private let sources: [String: Source]
    /// What a weight would be called in the base that is not there.
    var baseName: @Sendable (String) -> String = { $0 }

    /// - Parameter sources: What each weight of the view comes from. One that is not in the base, or cannot be divided
    ///   as it says, is not in the view either.
    public init(_ base: any WeightStorage, sources: [String: Source]) {
        self.base = base
        self.sources = sources.filter { _, source in
            guard let entry = base.entry(named: source.name) else { return false }
            return source.part.map { Self.divides(entry, into: $0.count) } ?? true
        }
    }

    /// The same weights without some of them.
    public init(_ base: any WeightStorage, leavingOut isLeftOut: (String) -> Bool) {
        let kept = base.names.filter { !isLeftOut($0) }
        self.init(base, sources: Dictionary(uniqueKeysWithValues: kept.map { ($0, Source($0)) }))
    }

    /// Whether a weight has equal parts along its first axis, each of whole bytes.
    private static func divides(_ entry: WeightEntry, into count: Int) -> Bool {
        guard entry.shape.rank > 0, entry.shape[0].isMultiple(of: count), count > 0 else { return false }
        let size = (entry.shape.checkedCount ?? 0) / count
        return entry.elementType.bitCount >= 8 || size.isMultiple(of: 2)
    }

    fileprivate init(
        _ base: any WeightStorage, absent: [String], newName: (String) throws -> String
    ) throws {
        var sources: [String: Source] = [:]
        var collisions: Set<String> = []
        for name in base.names {
            let newName = try newName(name)
            if sources.updateValue(Source(name), forKey: newName) != nil { collisions.insert(newName) }
        }
        guard absent.isEmpty, collisions.isEmpty else {
            throw CheckpointError.renaming(
                origin: base.origin, absent: absent.sorted(), collisions: collisions.sorted())
        }
        self.init(base, sources: sources)
    }

    public var origin: String { base.origin }
    public var names: [String] { Array(sources.keys) }
    public func nameInFile(of name: String) -> String {
        base.nameInFile(of: sources[name]?.name ?? baseName(name))
    }

    public func entry(named name: String) -> WeightEntry? {
        guard let source = sources[name], let whole = base.entry(named: source.name) else { return nil }
        var shape = whole.shape
        if source.dropsUnitAxes, shape.rank > 2, shape.dimensions.dropFirst(2).allSatisfy({ $0 == 1 }) {
            shape = Shape(Array(shape.dimensions.prefix(2)))
        }
        if let part = source.part { shape[0] /= part.count }
        return WeightEntry(shape: shape, elementType: whole.elementType)
    }

    public func validateChecksums() throws -> Bool { try base.validateChecksums() }

    public func groupedIntegers(of name: String) -> GroupedIntegers? {
        guard let source = sources[name], let whole = base.groupedIntegers(of: source.name) else {
            return nil
        }
        return source.part.map { whole.part($0) } ?? whole
    }

    public func map(_ names: Set<String>, additionalBytes: Int) throws -> MappedWeights {
        let weights = try base.map(
            Set(names.compactMap { sources[$0]?.name }), additionalBytes: additionalBytes)
        var offsets: [String: Int] = [:]
        for (name, source) in sources {
            guard let start = weights.offset(of: source.name) else { continue }
            let entry = entry(named: name)
            let byteCount = entry.map { $0.elementType.byteCount(of: $0.shape.checkedCount ?? 0) } ?? 0
            offsets[name] = start + (source.part?.index ?? 0) * byteCount
        }
        return MappedWeights(weights, additionalOffset: weights.additionalOffset, offsets: offsets)
    }
}

extension WeightStorage {
    /// The same weights with other names, by an exact table from old to new; a weight that the table does not
    /// list keeps its name.
    ///
    /// - Throws: ``CheckpointError/renaming(origin:absent:collisions:)`` where the table lists a weight that
    ///   is not there, or two weights would have one name.
    public func renamed(_ table: [String: String]) throws -> WeightView {
        let absent = table.keys.filter { entry(named: $0) == nil }
        return try WeightView(self, absent: absent) { table[$0] ?? $0 }
    }

    /// The same weights with the names that a function of the old ones gives.
    ///
    /// - Throws: ``CheckpointError/renaming(origin:absent:collisions:)`` where two weights would have one
    ///   name, and what the function throws.
    public func renamed(by newName: (String) throws -> String) throws -> WeightView {
        try WeightView(self, absent: [], newName: newName)
    }
}
