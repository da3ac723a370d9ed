/// How one element of a tensor is stored.
public enum ElementType: String, Sendable, Hashable, CaseIterable {
    case float64, float32, float16, bfloat16
    case int64, int32, int16, int8, uint8
    /// From −8 to 7, two in a byte, the first of them in its lower half.
    case int4
    case boolean

    /// The number of bits that one element occupies.
    public var bitCount: Int {
        switch self {
        case .float64, .int64: 64
        case .float32, .int32: 32
        case .float16, .bfloat16, .int16: 16
        case .int8, .uint8, .boolean: 8
        case .int4: 4
        }
    }

    /// The number of bytes that so many elements occupy, one behind the other: of an odd number of halves of a byte, the last
    /// byte is a whole one.
    public func byteCount(of count: Int) -> Int {
        bitCount < 8 ? count / 2 + count % 2 : count * (bitCount / 8)
    }

    /// Whether the elements are floating-point numbers, whose values a graph reads as `float32`.
    public var isFloatingPoint: Bool {
        switch self {
        case .float64, .float32, .float16, .bfloat16: true
        case .int64, .int32, .int16, .int8, .uint8, .int4, .boolean: false
        }
    }

    /// Whether the elements are integers that a matrix's or a kernel's numbers can be, times scales beside them.
    public var isScaled: Bool { self == .int8 || self == .int4 }
}
