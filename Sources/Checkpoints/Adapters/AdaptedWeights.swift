import TensorGraph

/// Weights with adapters' changes added. The files are as they were: changed weights are made beside them, when the
/// weights are mapped.
public struct AdaptedWeights: WeightStorage {
    private let base: any WeightStorage
    /// What is added to each weight, in order.
    private let changes: [String: [(update: AdapterUpdate, strength: Float)]]

    /// The U-Net's weights with adapters, each so strong; without a change where all strengths are 0.
    public init(unet: any WeightStorage, adapters: [(AdapterUpdates, strength: Float)]) {
        self.init(unet, .unet, adapters)
    }

    /// A text encoder's weights with adapters.
    ///
    /// - Parameter index: Which text encoder, from 0.
    public init(textEncoder: any WeightStorage, index: Int, adapters: [(AdapterUpdates, strength: Float)]) {
        self.init(textEncoder, .textEncoder(index), adapters)
    }

    private init(
        _ base: any WeightStorage, _ network: AdapterKey.Network,
        _ adapters: [(AdapterUpdates, strength: Float)]
    ) {
        self.base = base
        var changes: [String: [(update: AdapterUpdate, strength: Float)]] = [:]
        for (updates, strength) in adapters where strength != 0 {
            for (name, update) in updates.networks[network] ?? [:] {
                changes[name, default: []].append((update, strength))
            }
        }
        self.changes = changes
    }

    /// How many weights are changed.
    public var changedCount: Int { changes.count }

    public var origin: String { base.origin }
    public func nameInFile(of name: String) -> String { base.nameInFile(of: name) }
    public var names: [String] { base.names }
    public func entry(named name: String) -> WeightEntry? { base.entry(named: name) }

    public func validateChecksums() throws -> Bool { try base.validateChecksums() }

    public func groupedIntegers(of name: String) -> GroupedIntegers? {
        changes[name] == nil ? base.groupedIntegers(of: name) : nil
    }

    public func map(_ names: Set<String>, additionalBytes: Int) throws -> MappedWeights {
        var places: [(name: String, entry: WeightEntry)] = []
        var made = MadeWeights()
        for name in changes.keys.sorted() where names.contains(name) {
            guard let entry = base.entry(named: name), entry.elementType.isFloatingPoint,
                let count = entry.shape.checkedCount
            else { continue }
            places.append((name, entry))
            made.reserve(name, byteCount: entry.elementType.byteCount(of: count))
        }
        let weights = try base.map(names, additionalBytes: made.additionalBytes(and: additionalBytes))
        return try made.making(of: weights, among: base.names, iterations: places.count) {
            [places] index, memory in
            let (name, entry) = places[index]
            change(name, entry, of: weights, into: memory(name))
        }
    }

    /// Writes a weight with its changes, some rows after the other where each row is changed for itself, so that what is
    /// worked on stays in the processor's cache.
    private func change(
        _ name: String, _ entry: WeightEntry, of weights: MappedWeights,
        into target: UnsafeMutableRawBufferPointer
    ) {
        let own = changes[name] ?? []
        let (rows, count) = (max(entry.shape.rank > 0 ? entry.shape[0] : 1, 1), entry.shape.checkedCount ?? 0)
        let columns = count / rows
        let block = own.allSatisfy(\.update.changesRowsAlone) ? min(Self.rowsAtOnce, rows) : rows
        let (type, size) = (SafetensorsType(entry.elementType), entry.elementType.byteCount(of: 1))
        var scratch = [Float](repeating: 0, count: block * columns)
        scratch.withUnsafeMutableBufferPointer { scratch in
            for first in stride(from: 0, to: rows, by: block) {
                let taken = first..<min(first + block, rows)
                let values = UnsafeMutableBufferPointer(rebasing: scratch[..<(taken.count * columns)])
                weights.readFloats(of: name, entry, from: first * columns, into: values)
                for (update, strength) in own { update.add(to: values, rows: taken, strength: strength) }
                let bytes = target[(first * columns * size)...].prefix(values.count * size)
                type.store(UnsafeBufferPointer(values), into: UnsafeMutableRawBufferPointer(rebasing: bytes))
            }
        }
    }

    private static let rowsAtOnce = 64
}
