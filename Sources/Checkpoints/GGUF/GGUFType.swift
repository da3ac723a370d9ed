import TensorGraph

/// How GGUF stores a tensor's elements: the numbers of ggml's types.
enum GGUFType: UInt32, Sendable {
    case float32 = 0
    case float16 = 1
    case q40 = 2
    case q41 = 3
    case q50 = 6
    case q51 = 7
    case q80 = 8
    case q2K = 10
    case q3K = 11
    case q4K = 12
    case q5K = 13
    case q6K = 14
    case int8 = 24
    case int16 = 25
    case int32 = 26
    case int64 = 27
    case float64 = 28
    case bfloat16 = 30

    /// What ggml calls it.
    var label: String {
        switch self {
        case .float32: "F32"
        case .float16: "F16"
        case .q40: "Q4_0"
        case .q41: "Q4_1"
        case .q50: "Q5_0"
        case .q51: "Q5_1"
        case .q80: "Q8_0"
        case .q2K: "Q2_K"
        case .q3K: "Q3_K"
        case .q4K: "Q4_K"
        case .q5K: "Q5_K"
        case .q6K: "Q6_K"
        case .int8: "I8"
        case .int16: "I16"
        case .int32: "I32"
        case .int64: "I64"
        case .float64: "F64"
        case .bfloat16: "BF16"
        }
    }

    /// How many elements stand together, and in how many bytes.
    var block: (count: Int, byteCount: Int) {
        switch self {
        case .int8: (1, 1)
        case .float16, .bfloat16, .int16: (1, 2)
        case .float32, .int32: (1, 4)
        case .float64, .int64: (1, 8)
        case .q40: (32, 18)
        case .q41: (32, 20)
        case .q50: (32, 22)
        case .q51: (32, 24)
        case .q80: (32, 34)
        case .q2K: (256, 84)
        case .q3K: (256, 110)
        case .q4K: (256, 144)
        case .q5K: (256, 176)
        case .q6K: (256, 210)
        }
    }

    /// The bits of an integer, 4 or 8, that holds what a number of a block is times the block's scale; nil where blocks have
    /// minima, or parts with scales of their own.
    var integerBitCount: Int? {
        switch self {
        case .q40: 4
        case .q50, .q80: 8
        case .float32, .float16, .float64, .bfloat16, .int8, .int16, .int32, .int64, .q41, .q51, .q2K, .q3K,
            .q4K, .q5K, .q6K:
            nil
        }
    }

    /// What a graph reads the elements as: blocks as numbers of half precision.
    var elementType: ElementType {
        switch self {
        case .float32: .float32
        case .float64: .float64
        case .bfloat16: .bfloat16
        case .int8: .int8
        case .int16: .int16
        case .int32: .int32
        case .int64: .int64
        case .float16, .q40, .q41, .q50, .q51, .q80, .q2K, .q3K, .q4K, .q5K, .q6K: .float16
        }
    }

    /// What ggml calls a type that is not one of these.
    static func otherLabel(_ number: UInt32) -> String? {
        [
            9: "Q8_1", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL",
            21: "IQ3_S",
            22: "IQ2_S", 23: "IQ4_XS", 29: "IQ1_M", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
        ][number]
    }
}
