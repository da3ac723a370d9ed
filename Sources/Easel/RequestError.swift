/// Why a request cannot be met, before any work is done.
public enum RequestError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A side is not one that the model can make; `nearest` are those that it can.
    case size(axis: String, value: Int, multiple: Int, nearest: [Int])
    /// A number is out of its range.
    case outOfRange(field: String, value: String, range: String)
    /// Nothing of the picture would be made anew.
    case blackMask(isInverted: Bool)
    /// A mask or an extension needs a picture to start from.
    case noInitImage(field: String)
    /// The model makes pictures of others, and needs something of them.
    case needed(what: String, option: String, model: String)
    /// The model cannot do what is asked for.
    case notPossible(field: String, model: String, reason: String)
    /// The picture whose settings are taken had a mask.
    case noMask
    /// The requests' pictures cannot be made in one batch.
    case notOneBatch(reason: String)
    /// The networks need more memory for pictures of that size than the machine has; in bytes.
    case memory(width: Int, height: Int, batchSize: Int, needed: Int, available: Int)
    /// Pictures of that size need more memory than the limit, in the smallest mode that was asked for; in bytes.
    case memoryLimit(width: Int, height: Int, batchSize: Int, needed: Int, limit: Int, mode: MemoryMode)

    public var description: String {
        switch self {
        case .size(let axis, let value, let multiple, let nearest):
            "\(axis) \(value) is not possible: it must be a multiple of \(multiple) from 64 to 2048; nearest: "
                + nearest.map(String.init).joined(separator: " or ")
        case .outOfRange(let field, let value, let range):
            "\(field) \(value) is not possible: it must be \(range)"
        case .blackMask(let isInverted):
            "the mask is all \(isInverted ? "white, and inverted" : "black"), so that nothing would be made anew: "
                + "\(isInverted ? "black" : "white") is made anew"
        case .noInitImage(let field):
            "\(field) needs a picture to start from: give one with --init-image"
        case .needed(let what, let option, let model): "\(model) needs \(what): give it with \(option)"
        case .notPossible(let field, let model, let reason):
            "\(field) is not possible with \(model): \(reason)"
        case .noMask: "the picture of --from was made with a mask: give it with --mask"
        case .notOneBatch(let reason): "the requests cannot be made in one batch: \(reason)"
        case .memory(let width, let height, let batchSize, let needed, let available):
            "\(width)×\(height) pixels with batch size \(batchSize) take at least \(Self.gigabytes(needed)) GB of "
                + "memory, and this machine has \(Self.gigabytes(available)) GB: take a smaller "
                + (batchSize > 1 ? "batch size" : "size")
        case .memoryLimit(let width, let height, let batchSize, let needed, let limit, let mode):
            "\(width)×\(height) pixels with batch size \(batchSize) take \(Self.gigabytes(needed)) GB of memory "
                + "with --memory \(mode.rawValue), more than the limit of \(Self.gigabytes(limit)) GB: "
                + (mode == .minimal
                    ? "take a smaller \(batchSize > 1 ? "batch size" : "size"), or raise the limit"
                    : "take --memory auto or minimal, or raise the limit")
        }
    }

    private static func gigabytes(_ bytes: Int) -> String {
        let tenths = bytes / 100_000_000
        return "\(tenths / 10).\(tenths % 10)"
    }
}
