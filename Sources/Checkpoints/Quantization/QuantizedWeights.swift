import CArithmetic
import Synchronization
import TensorGraph

/// Weights of which some matrices and kernels are integers of 8 bits, made when the weights are mapped: each row times a
/// scale of its own, `<layer>.weight_scale` `[rows, 1, …]`. Where a layer's activations are rounded too, their lowest and
/// highest level are `<layer>.input_range` `[2]`.
///
/// Or matrices alone, of 8 or 4 bits, with a scale for each group of some numbers of a row: the weight is
/// `[rows, groups, group size]` then, and its scale `[rows, groups, 1]`. What a file has as such integers with a scale for
/// each of these groups is taken as it is.
public struct QuantizedWeights: WeightStorage {
    private let base: any WeightStorage
    private let layers: [String: QuantizedLayer]
    /// How many numbers have a scale; nil where each row has one.
    private let groupSize: Int?

    /// - Parameters:
    ///   - layers: The paths of the layers whose weights become integers; those that are not in the weights, or are no
    ///     floating-point matrices or kernels, are left as they are.
    ///   - ranges: Of the layers' activations.
    public init(_ base: any WeightStorage, layers: Set<String>, ranges: ActivationRanges) {
        self.base = base
        var own: [String: QuantizedLayer] = [:]
        for layer in layers {
            guard let entry = base.entry(named: layer + Self.weight), entry.shape.rank >= 2,
                entry.elementType.isFloatingPoint
            else { continue }
            own[layer] = QuantizedLayer(range: ranges[layer])
        }
        self.layers = own
        groupSize = nil
    }

    /// - Parameters:
    ///   - matrices: The paths of the layers whose matrices become integers; those that are not in the weights, have rows
    ///     that are not of whole groups, or are no floating-point matrices, are left as they are.
    ///   - groupSize: How many numbers of a row share a scale.
    ///   - bitCount: 8 or 4; nil is as many as the file's own integers need, and 8 for all else.
    public init(_ base: any WeightStorage, matrices: Set<String>, groupSize: Int, bitCount: Int? = 8) {
        self.base = base
        self.groupSize = groupSize
        var own: [String: QuantizedLayer] = [:]
        for layer in matrices {
            guard let entry = base.entry(named: layer + Self.weight), entry.shape.rank == 2,
                entry.shape[1] > 0, entry.shape[1].isMultiple(of: groupSize),
                entry.elementType.isFloatingPoint
            else { continue }
            let stored = base.groupedIntegers(of: layer + Self.weight).flatMap { stored in
                let isWhole = stored.groupCount == (entry.shape.checkedCount ?? 0) / groupSize
                let fits = stored.bitCount <= bitCount ?? 8
                return stored.groupSize == groupSize && isWhole && fits ? stored : nil
            }
            own[layer] = QuantizedLayer(bitCount: bitCount ?? stored?.bitCount ?? 8, integers: stored)
        }
        layers = own
    }

    static let (weight, scale, range) = (".weight", ".weight_scale", ".input_range")

    public var origin: String { base.origin }
    public func nameInFile(of name: String) -> String { base.nameInFile(of: name) }

    public var names: [String] {
        base.names
            + layers.flatMap { name, layer in
                [name + Self.scale] + (layer.range == nil ? [] : [name + Self.range])
            }
    }

    public func entry(named name: String) -> WeightEntry? {
        func layer(_ ending: String) -> (name: String, layer: QuantizedLayer)? {
            guard name.hasSuffix(ending) else { return nil }
            let own = String(name.dropLast(ending.count))
            return layers[own].map { (own, $0) }
        }
        if let own = layer(Self.weight), let stored = base.entry(named: name) {
            let type = own.layer.elementType
            guard let groupSize else { return WeightEntry(shape: stored.shape, elementType: type) }
            let groups: Shape = [stored.shape[0], stored.shape[1] / groupSize, groupSize]
            return WeightEntry(shape: groups, elementType: type)
        }
        if let own = layer(Self.scale), let stored = base.entry(named: own.name + Self.weight) {
            var scale = stored.shape.dimensions.enumerated().map { $0.offset == 0 ? $0.element : 1 }
            if let groupSize { scale = [stored.shape[0], stored.shape[1] / groupSize, 1] }
            return WeightEntry(shape: Shape(scale), elementType: .float32)
        }
        if layer(Self.range)?.layer.range != nil { return WeightEntry(shape: [2], elementType: .float32) }
        return base.entry(named: name)
    }

    public func validateChecksums() throws -> Bool { try base.validateChecksums() }

    public func map(_ names: Set<String>, additionalBytes: Int) throws -> MappedWeights {
        var places: [(name: String, layer: QuantizedLayer, stored: WeightEntry)] = []
        var made = MadeWeights()
        var own = names.filter { base.entry(named: $0) != nil }
        for (name, layer) in layers.sorted(by: { $0.key < $1.key }) where names.contains(name + Self.weight) {
            guard let stored = base.entry(named: name + Self.weight), let count = stored.shape.checkedCount,
                let entry = entry(named: name + Self.weight)
            else { continue }
            places.append((name, layer, stored))
            let scales = groupSize.map { count / $0 } ?? stored.shape[0]
            made.reserve(name + Self.scale, byteCount: 4 * scales)
            if groupSize == nil { made.reserve(name + Self.range, byteCount: 8) }
            made.reserve(name + Self.weight, byteCount: entry.elementType.byteCount(of: count))
            // What is read from the file itself need not be decoded.
            if layer.integers != nil { own.remove(name + Self.weight) }
        }
        let weights = try base.map(own, additionalBytes: made.additionalBytes(and: additionalBytes))
        let failure = Mutex<FileError?>(nil)
        let all = try made.making(of: weights, among: base.names, iterations: places.count) {
            [places, groupSize] index, memory in
            let (name, layer, stored) = places[index]
            let scales = memory(name + Self.scale).bindMemory(to: Float.self)
            let bytes = memory(name + Self.weight)
            do throws(FileError) {
                try layer.fill(bytes, scales, count: stored.shape.checkedCount ?? 0) { start, row in
                    weights.readFloats(of: name + Self.weight, stored, from: start, into: row)
                }
            } catch {
                failure.withLock { $0 = $0 ?? error }
            }
            guard groupSize == nil else { return }
            let levels = memory(name + Self.range).bindMemory(to: Float.self)
            (levels[0], levels[1]) = layer.range?.levels ?? (0, 0)
        }
        if let failure = failure.withLock({ $0 }) { throw failure }
        return all
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

    /// Rounds a group to integers from −8 to 7, times the scale that is returned: as ggml's `quantize_row_q4_0_ref`, where
    /// the number of the greatest magnitude is −8 times the scale; but that one is not rounded to half precision.
    static func quantizeToFourBits(
        _ group: UnsafeMutableBufferPointer<Float>, into values: UnsafeMutableBufferPointer<Int8>
    ) -> Float {
        guard let source = group.baseAddress, let target = values.baseAddress else { return 1 }
        let greatest = easel_greatest_in_magnitude(source, group.count)
        guard greatest.isFinite else {
            values.update(repeating: 0)
            return .nan
        }
        let scale = greatest.magnitude > 8 * .leastNormalMagnitude ? greatest / -8 : 1
        easel_four_bits_from_floats(source, 1 / scale, target, group.count)
        return scale
    }
}
