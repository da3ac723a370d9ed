/// Counts the entries of a safetensors header as its bytes pass, before any of them is kept.
///
/// What is no JSON is counted somehow, and refused by who reads it.
struct SafetensorsEntryCount {
    /// Tensors, and texts of the metadata but for the first three. The metadata's own key is no entry.
    private(set) var count = -1
    private var depth = 0
    private var fields = 0
    private var (isInText, isEscaped) = (false, false)

    /// What a tensor's entry has.
    private static let fieldCount = 3

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes {
            if isInText {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInText = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInText = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ":") where depth == 1:
                count += 1
                fields = 0
            case UInt8(ascii: ":") where depth == 2:
                fields += 1
                if fields > Self.fieldCount { count += 1 }
            default: break
            }
        }
    }
}
