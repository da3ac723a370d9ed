/// What floating-point numbers can be stored as in a file, some of which graphs do not compute with.
public enum NumberType: String, Sendable, Hashable, CaseIterable {
    case float64 = "f64"
    case float32 = "f32"
    case float16 = "f16"
    case bfloat16 = "bf16"
    /// 8 bits with 3 of mantissa, up to 448. Norms and biases beside it are half precision.
    case float8E4M3 = "f8-e4m3"
    /// 8 bits with 2 of mantissa, up to 57,344. Norms and biases beside it are half precision.
    case float8E5M2 = "f8-e5m2"

    /// What the numbers of a tensor of that rank are written as.
    func storedType(rank: Int) -> SafetensorsType {
        switch self {
        case .float64: .float64
        case .float32: .float32
        case .float16: .float16
        case .bfloat16: .bfloat16
        case .float8E4M3: rank < 2 ? .float16 : .float8E4M3
        case .float8E5M2: rank < 2 ? .float16 : .float8E5M2
        }
    }
}
