import TensorGraph

/// Attention by an operation of Easel's own (`Engines/OpenVINOOperations`), which the library runs in place of its own.
struct FlashAttention {
    /// On how many threads.
    let threads: Int
    /// Whether in 8-bit integers.
    let integers: Bool
    /// From so many keys on it is faster than the library's own form, which keeps a row of all scores: at bfloat16 and
    /// 4,096 keys it takes 0.7 of the time for heads of 40 numbers and 0.88 for those of 64, at 1,024 as long; in integers
    /// 0.6 of what it takes at bfloat16.
    var fewestKeys: Int

    init(threads: Int, integers: Bool = false) {
        self.threads = threads
        self.integers = integers
        fewestKeys = integers ? 1024 : 2048
    }

    /// Longer heads do not fit the first cache with their scores. The same as `longestHead` in the operation's
    /// `FlashAttention.h`, which this module cannot see.
    static let longestHead = 160
}

extension Lowering {
    /// Attention as an operation of Easel's own, or nil where the library's own is to be taken.
    ///
    /// - Parameters:
    ///   - inputs: Queries, keys and values `[N, heads, tokens, D]`.
    ///   - moved: The same before their middle axes were exchanged, `[N, tokens, heads, D]`, where they were.
    mutating func lowerFlashAttention(
        _ attention: ScaledDotProductAttention, _ inputs: [Value], moved: [Value?], type: TensorType
    ) -> Value? {
        guard let flash = flashAttention, inputs.count == 3,
            case (let queries, let keys) = (inputs[0].type.shape, inputs[1].type.shape),
            keys == inputs[2].type.shape, keys[2] >= flash.fewestKeys,
            keys[3] <= FlashAttention.longestHead, keys[3].isMultiple(of: 2)
        else { return nil }
        let exchange = [0, 2, 1, 3]
        func exchanged(_ value: Value) -> Value {
            representation.add(
                "Transpose", "opset1", [value, representation.addIntegers(exchange)],
                gives: TensorType(
                    Shape(exchange.map { value.type.shape[$0] }), value.type.elementType))
        }
        func converted(_ value: Value, to elementType: ElementType) -> Value {
            representation.add(
                "Convert", "opset1", [value], ["destination_type": elementType.irName],
                gives: TensorType(value.type.shape, elementType))
        }
        let narrow = zip(inputs, moved).map { converted($1 ?? exchanged($0), to: .bfloat16) }
        let attended = representation.add(
            "Attention", "easel", narrow,
            [
                "scale": String(attention.scale), "integers": String(flash.integers),
                "threads": String(flash.threads),
            ],
            gives: TensorType([queries[0], queries[2], queries[1], queries[3]], .bfloat16))
        return exchanged(converted(attended, to: .float32))
    }
}
