import Dispatch
import TensorGraph

/// Weights of which some matrices and kernels are integers of 8 bits, made when the weights are mapped: each row times a
/// scale of its own, `<layer>.weight_scale` `[rows, 1, …]`. Where a layer's activations are rounded too, their lowest and
/// highest level are `<layer>.input_range` `[2]`.
public struct QuantizedWeights: WeightStorage {
    private let base: any WeightStorage
    /// By the layers' paths; nil for one whose activations stay as they are.
    private let layers: [String: ActivationRanges.Range?]

    /// - Parameters:
    ///   - layers: The paths of the layers whose weights become integers; those that are not in the weights, or are no
    ///     floating-point matrices or kernels, are left as they are.
    ///   - ranges: Of the layers' activations.
    public init(_ base: any WeightStorage, layers: Set<String>, ranges: ActivationRanges) {
        self.base = base
        var own: [String: ActivationRanges.Range?] = [:]
        for layer in layers {
            guard let entry = base.entry(named: layer + Self.weight), entry.shape.rank >= 2,
                entry.elementType.isFloatingPoint
            else { continue }
            own.updateValue(ranges[layer], forKey: layer)
        }
        self.layers = own
    }

    private static let (weight, scale, range) = (".weight", ".weight_scale", ".input_range")

    public var origin: String { base.origin }

    public var names: [String] {
        base.names
            + layers.flatMap { layer, range in
                [layer + Self.scale] + (range == nil ? [] : [layer + Self.range])
            }
    }

    public func entry(named name: String) -> WeightEntry? {
        func layer(_ ending: String) -> String? {
            guard name.hasSuffix(ending) else { return nil }
            let layer = String(name.dropLast(ending.count))
            return layers[layer] == nil ? nil : layer
        }
        if layer(Self.weight) != nil, let own = base.entry(named: name) {
            return WeightEntry(shape: own.shape, elementType: .int8)
        }
        if let layer = layer(Self.scale), let own = base.entry(named: layer + Self.weight) {
            let scale = own.shape.dimensions.enumerated().map { $0.offset == 0 ? $0.element : 1 }
            return WeightEntry(shape: Shape(scale), elementType: .float32)
        }
        if let layer = layer(Self.range), layers[layer] != .some(nil) {
            return WeightEntry(shape: [2], elementType: .float32)
        }
        return base.entry(named: name)
    }

    public func map(_ names: Set<String>, additionalBytes: Int) throws -> MappedWeights {
        struct Place {
            let layer: String
            let range: ActivationRanges.Range?
            let stored: WeightEntry
            let scales: Int
            let levels: Int
            let values: Int
        }
        let alignment = 64
        var places: [Place] = []
        var total = 0
        func reserve(_ byteCount: Int) -> Int {
            defer { total += (byteCount + alignment - 1) / alignment * alignment }
            return total
        }
        for (layer, range) in layers.sorted(by: { $0.key < $1.key }) where names.contains(layer + Self.weight)
        {
            guard let stored = base.entry(named: layer + Self.weight), let count = stored.shape.checkedCount
            else {
                continue
            }
            places.append(
                Place(
                    layer: layer, range: range, stored: stored, scales: reserve(4 * stored.shape[0]),
                    levels: reserve(8), values: reserve(count)))
        }
        let (additional, overflow) = additionalBytes.addingReportingOverflow(total)
        let own = names.filter { base.entry(named: $0) != nil }
        let weights = try base.map(own, additionalBytes: overflow ? .max : additional)
        let start = weights.additionalOffset
        DispatchQueue.concurrentPerform(iterations: places.count) { [places] index in
            let place = places[index]
            func memory<Element>(_ offset: Int, _ count: Int, _ type: Element.Type)
                -> UnsafeMutableBufferPointer<Element>
            {
                let size = count * MemoryLayout<Element>.stride
                return UnsafeMutableRawBufferPointer(
                    rebasing: weights.bytes[(start + offset)...].prefix(size)
                )
                .bindMemory(to: type)
            }
            let rows = place.stored.shape[0]
            let scales = memory(place.scales, rows, Float.self)
            let values = memory(place.values, place.stored.shape.count, Int8.self)
            let size = rows > 0 ? values.count / rows : 0
            let row = UnsafeMutableBufferPointer<Float>.allocate(capacity: size)
            defer { row.deallocate() }
            for index in 0..<rows {
                weights.readFloats(of: place.layer + Self.weight, place.stored, from: index * size, into: row)
                scales[index] = quantize(
                    row, into: .init(rebasing: values[index * size..<(index + 1) * size]))
            }
            let levels = memory(place.levels, 2, Float.self)
            (levels[0], levels[1]) = place.range?.levels ?? (0, 0)
        }
        try weights.validate()
        var offsets: [String: Int] = [:]
        for name in base.names { offsets[name] = weights.offset(of: name) }
        for place in places {
            offsets[place.layer + Self.weight] = start + place.values
            offsets[place.layer + Self.scale] = start + place.scales
            if place.range != nil { offsets[place.layer + Self.range] = start + place.levels }
        }
        return MappedWeights(
            bytes: weights.bytes, additionalOffset: start + total, offsets: offsets,
            check: { try weights.validate() }, releaseFilePages: { weights.releaseFilePages() },
            release: { withExtendedLifetime(weights) {} })
    }
}

/// Rounds a row to integers from −127 to 127, times the scale that is returned.
private func quantize(
    _ row: UnsafeMutableBufferPointer<Float>, into values: UnsafeMutableBufferPointer<Int8>
) -> Float {
    var (greatest, check): (Float, Float) = (0, 0)
    for value in row {
        greatest = max(greatest, value.magnitude)
        check += value * 0
    }
    // Numbers that are none are seen in the scale.
    guard check == 0 else {
        values.update(repeating: 0)
        return .nan
    }
    // A row of zeros, or of next to nothing, is one of zeros.
    let scale = greatest > 127 * .leastNormalMagnitude ? greatest / 127 : 1
    let factor = 1 / scale
    for index in 0..<row.count {
        let scaled = (row[index] * factor).rounded(.toNearestOrEven)
        values[index] = Int8(truncatingIfNeeded: Int32(max(-127, min(127, scaled))))
    }
    return scale
}
