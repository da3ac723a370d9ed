import TensorGraph

/// What numbers of 8 bits are multiplied by, as ComfyUI writes it beside their tensors: `x.scale_weight` or
/// `x.weight_scale` for `x.weight`, one number each.
struct Float8Scales {
    private static let endings = [".scale_weight", ".weight_scale"]
    /// What else is said of such numbers, for programs that compute with them.
    private static let notes = [".scale_input", ".input_scale", ".comfy_quant"]

    private var scales: [String: Float] = [:]
    private var others: Set<String> = []

    /// - Throws: ``FileError``, ``SafetensorsError`` for a scale that is not one number.
    init(_ header: SafetensorsHeader, in file: RegularFile) throws {
        let small = Set(
            header.tensors.filter { $0.storedType.hasPrefix("F8") }.map(\.name))
        for tensor in header.tensors {
            if tensor.name == "scaled_fp8" { others.insert(tensor.name) }
            for ending in Self.endings + Self.notes where tensor.name.hasSuffix(ending) {
                let weight = tensor.name.dropLast(ending.count) + ".weight"
                guard small.contains(String(weight)) else { continue }
                others.insert(tensor.name)
                if Self.endings.contains(ending) { scales[String(weight)] = try Self.scale(tensor, in: file) }
            }
        }
    }

    /// Whether a tensor only says how another is to be read.
    func isNote(_ name: String) -> Bool { others.contains(name) }

    func scale(of name: String) -> Float { scales[name] ?? 1 }

    private static func scale(_ tensor: SafetensorsHeader.Tensor, in file: RegularFile) throws -> Float {
        func failure(_ actual: String) -> SafetensorsError {
            SafetensorsError(
                path: file.path,
                problem: .wrongField(
                    tensor: tensor.name, field: "scale", expected: "one finite number for the whole tensor",
                    actual: actual))
        }
        guard tensor.entry.shape.checkedCount == 1 else { throw failure("a tensor of \(tensor.entry.shape)") }
        let bytes = try file.read(byteCount: tensor.byteCount, at: tensor.offset)
        let bits = bytes.reversed().reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
        let value: Float
        switch tensor.entry.elementType {
        case .float32: value = Float(bitPattern: bits)
        case .float16: value = Float(float16: UInt16(truncatingIfNeeded: bits))
        case .bfloat16: value = Float(bitPattern: bits << 16)
        default: throw failure("numbers of type \(tensor.storedType)")
        }
        guard value.isFinite else { throw failure("\(value)") }
        return value
    }
}
