import CArithmetic
import TensorGraph

/// Weights of which some matrices and kernels are integers of 8 bits, made when the weights are mapped: each row times a
/// scale of its own, `<layer>.weight_scale` `[rows, 1, …]`. Where a layer's activations are rounded too, their lowest and
/// highest level are `<layer>.input_range` `[2]`.
///
/// Or matrices alone, with a scale for each group of some numbers of a row: the weight is `[rows, groups, group size]`
/// then, and its scale `[rows, groups, 1]`.
public struct QuantizedWeights: WeightStorage {
    private let base: any WeightStorage
    /// By the layers' paths; nil for one whose activations stay as they are.
    private let layers: [String: ActivationRanges.Range?]
    /// How many numbers have a scale; nil where each row has one.
    private let groupSize: Int?

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
        groupSize = nil
    }

    /// - Parameters:
    ///   - matrices: The paths of the layers whose matrices become integers; those that are not in the weights, have rows
    ///     that are not of whole groups, or are no floating-point matrices, are left as they are.
    ///   - groupSize: How many numbers of a row share a scale.
    public init(_ base: any WeightStorage, matrices: Set<String>, groupSize: Int) {
        self.base = base
        self.groupSize = groupSize
        let own = matrices.filter { layer in
            guard let entry = base.entry(named: layer + Self.weight) else { return false }
            return entry.shape.rank == 2 && entry.shape[1] > 0 && entry.shape[1].isMultiple(of: groupSize)
                && entry.elementType.isFloatingPoint
        }
        let none: ActivationRanges.Range? = nil
        layers = Dictionary(uniqueKeysWithValues: own.map { ($0, none) })
    }

    static let (weight, scale, range) = (".weight", ".weight_scale", ".input_range")

    public var origin: String { base.origin }
    public func nameInFile(of name: String) -> String { base.nameInFile(of: name) }

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
            guard let groupSize else { return WeightEntry(shape: own.shape, elementType: .int8) }
            let groups: Shape = [own.shape[0], own.shape[1] / groupSize, groupSize]
            return WeightEntry(shape: groups, elementType: .int8)
        }
        if let layer = layer(Self.scale), let own = base.entry(named: layer + Self.weight) {
            var scale = own.shape.dimensions.enumerated().map { $0.offset == 0 ? $0.element : 1 }
            if let groupSize { scale = [own.shape[0], own.shape[1] / groupSize, 1] }
            return WeightEntry(shape: Shape(scale), elementType: .float32)
        }
        if let layer = layer(Self.range), layers[layer] != .some(nil) {
            return WeightEntry(shape: [2], elementType: .float32)
        }
        return base.entry(named: name)
    }

    public func validateChecksums() throws { try base.validateChecksums() }

    public func map(_ names: Set<String>, additionalBytes: Int) throws -> MappedWeights {
        var places: [(layer: String, range: ActivationRanges.Range?, stored: WeightEntry)] = []
        var made = MadeWeights()
        for (layer, range) in layers.sorted(by: { $0.key < $1.key }) where names.contains(layer + Self.weight)
        {
            guard let stored = base.entry(named: layer + Self.weight), let count = stored.shape.checkedCount
            else { continue }
            places.append((layer, range, stored))
            let scales = groupSize.map { count / $0 } ?? stored.shape[0]
            made.reserve(layer + Self.scale, byteCount: 4 * scales)
            if groupSize == nil { made.reserve(layer + Self.range, byteCount: 8) }
            made.reserve(layer + Self.weight, byteCount: count)
        }
        let own = names.filter { base.entry(named: $0) != nil }
        let weights = try base.map(own, additionalBytes: made.additionalBytes(and: additionalBytes))
        return try made.making(of: weights, among: base.names, iterations: places.count) {
            [places, groupSize] index, memory in
            let (layer, range, stored) = places[index]
            let scales = memory(layer + Self.scale).bindMemory(to: Float.self)
            let values = memory(layer + Self.weight).bindMemory(to: Int8.self)
            let size = scales.isEmpty ? 0 : values.count / scales.count
            let row = UnsafeMutableBufferPointer<Float>.allocate(capacity: size)
            defer { row.deallocate() }
            for index in scales.indices {
                weights.readFloats(of: layer + Self.weight, stored, from: index * size, into: row)
                scales[index] = Self.quantize(
                    row, into: .init(rebasing: values[index * size..<(index + 1) * size]))
            }
            guard groupSize == nil else { return }
            let levels = memory(layer + Self.range).bindMemory(to: Float.self)
            (levels[0], levels[1]) = range?.levels ?? (0, 0)
        }
    }
}

extension WeightStorage {
    /// Whether there are layers among them whose activations are rounded to integers too.
    public var isQuantized: Bool { names.contains { $0.hasSuffix(QuantizedWeights.range) } }
}

extension QuantizedWeights {
    /// Rounds a row to integers from −127 to 127, times the scale that is returned.
    public static func quantize(
        _ row: UnsafeMutableBufferPointer<Float>, into values: UnsafeMutableBufferPointer<Int8>
    ) -> Float {
        guard let source = row.baseAddress, let target = values.baseAddress else { return 1 }
        let greatest = easel_greatest_magnitude(source, row.count)
        // Numbers that are none are seen in the scale.
        guard greatest.isFinite else {
            values.update(repeating: 0)
            return .nan
        }
        // A row of zeros, or of next to nothing, is one of zeros.
        let scale = greatest > 127 * .leastNormalMagnitude ? greatest / 127 : 1
        easel_integers_from_floats(source, 1 / scale, target, row.count)
        return scale
    }
}
