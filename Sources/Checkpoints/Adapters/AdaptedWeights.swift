import Dispatch
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
    public var names: [String] { base.names }
    public func entry(named name: String) -> WeightEntry? { base.entry(named: name) }

    public func map(_ names: Set<String>, additionalBytes: Int) throws -> MappedWeights {
        let alignment = 64
        var places: [(name: String, entry: WeightEntry, offset: Int, byteCount: Int)] = []
        var total = 0
        for name in changes.keys.sorted() where names.contains(name) {
            guard let entry = base.entry(named: name), entry.elementType.isFloatingPoint,
                let count = entry.shape.checkedCount
            else { continue }
            let byteCount = count * entry.elementType.byteCount
            places.append((name, entry, total, byteCount))
            total += (byteCount + alignment - 1) / alignment * alignment
        }
        let (additional, overflow) = additionalBytes.addingReportingOverflow(total)
        let weights = try base.map(names, additionalBytes: overflow ? .max : additional)
        let start = weights.additionalOffset
        DispatchQueue.concurrentPerform(iterations: places.count) { [places] index in
            let place = places[index]
            guard var values = weights.floats(of: place.name, place.entry) else { return }
            let rows = place.entry.shape.rank > 0 ? place.entry.shape[0] : 1
            values.withUnsafeMutableBufferPointer { values in
                for (update, strength) in changes[place.name] ?? [] {
                    update.add(to: values, rows: max(rows, 1), strength: strength)
                }
            }
            let target = weights.bytes[(start + place.offset)...].prefix(place.byteCount)
            SafetensorsType(place.entry.elementType).store(
                values, into: UnsafeMutableRawBufferPointer(rebasing: target))
        }
        try weights.validate()
        let changed = Dictionary(uniqueKeysWithValues: places.map { ($0.name, start + $0.offset) })
        return MappedWeights(
            bytes: weights.bytes, additionalOffset: start + total,
            offsets: Dictionary(
                uniqueKeysWithValues: base.names.compactMap { name in
                    (changed[name] ?? weights.offset(of: name)).map { (name, $0) }
                }),
            check: { try weights.validate() }, releaseFilePages: { weights.releaseFilePages() },
            release: { withExtendedLifetime(weights) {} })
    }
}
