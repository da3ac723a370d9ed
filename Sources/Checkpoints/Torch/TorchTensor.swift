import TensorGraph

/// PyTorch's classes of storages, each of one element type.
enum TorchStorageType: String, Sendable, Hashable {
    case double = "DoubleStorage"
    case float = "FloatStorage"
    case half = "HalfStorage"
    case bfloat16 = "BFloat16Storage"
    case long = "LongStorage"
    case int = "IntStorage"
    case short = "ShortStorage"
    case char = "CharStorage"
    case byte = "ByteStorage"
    case bool = "BoolStorage"

    var elementType: ElementType {
        switch self {
        case .double: .float64
        case .float: .float32
        case .half: .float16
        case .bfloat16: .bfloat16
        case .long: .int64
        case .int: .int32
        case .short: .int16
        case .char: .int8
        case .byte: .uint8
        case .bool: .boolean
        }
    }
}

/// A row of elements that tensors are views of.
struct TorchStorage: Hashable, Sendable {
    let type: TorchStorageType
    /// Its name among the file's storages, a number.
    let key: String
    /// The number of elements.
    let count: Int

    /// The number of bytes; nil beyond `Int`.
    var byteCount: Int? {
        let (bytes, overflow) = count.multipliedReportingOverflow(by: type.elementType.byteCount(of: 1))
        return overflow ? nil : bytes
    }
}

/// A view of a storage: the element at `[i, j, …]` is the storage's at `offset + i · strides[0] + j · strides[1] + …`.
struct TorchTensor: Hashable, Sendable {
    static let maximumRank = 64

    let storage: TorchStorage
    let offset: Int
    let shape: Shape
    let strides: [Int]

    enum Problem: Hashable, Sendable {
        case negative(String, Int)
        case rank(sizes: Int, strides: Int)
        case tooLarge
        case beyondStorage(last: Int?, count: Int)
        case repeats(count: Int, of: Int)
    }

    /// What is wrong with the view, or nil where each of its elements is one of the storage's.
    var problem: Problem? {
        guard shape.rank == strides.count, shape.rank <= Self.maximumRank else {
            return .rank(sizes: shape.rank, strides: strides.count)
        }
        if offset < 0 { return .negative("offset", offset) }
        if let size = shape.dimensions.first(where: { $0 < 0 }) { return .negative("size", size) }
        if let stride = strides.first(where: { $0 < 0 }) { return .negative("stride", stride) }
        guard let count = shape.checkedCount,
            !count.multipliedReportingOverflow(by: storage.type.elementType.byteCount(of: 1)).overflow
        else { return .tooLarge }
        guard count > 0 else {
            return offset <= storage.count ? nil : .beyondStorage(last: offset, count: storage.count)
        }
        var last = offset
        for (size, stride) in zip(shape.dimensions, strides) {
            let (distance, isFar) = (size - 1).multipliedReportingOverflow(by: stride)
            let (sum, isFarther) = last.addingReportingOverflow(distance)
            if isFar || isFarther { return .beyondStorage(last: nil, count: storage.count) }
            last = sum
        }
        guard last < storage.count else { return .beyondStorage(last: last, count: storage.count) }
        // A view of no more elements than there are cannot make little of a file into much memory.
        return count > storage.count ? .repeats(count: count, of: storage.count) : nil
    }

    /// Whether the elements follow each other in the storage in the order of the shape.
    var isContiguous: Bool {
        if shape.dimensions.contains(0) { return true }
        return zip(zip(shape.dimensions, strides), shape.strides).allSatisfy { $0.0 == 1 || $0.1 == $1 }
    }
}

extension TorchTensor.Problem {
    var reason: String {
        switch self {
        case .negative(let what, let value): "its \(what) is \(value), below 0"
        case .rank(let sizes, let strides):
            "it has \(sizes) sizes and \(strides) strides; as many are needed of both, at most "
                + "\(TorchTensor.maximumRank)"
        case .tooLarge: "it has more bytes than can be addressed"
        case .beyondStorage(let last, let count):
            "it reaches behind the end of its storage of \(count) elements, to "
                + (last.map { "number \($0), counted from 0" } ?? "one that no number reaches")
        case .repeats(let count, let available):
            "its \(count) elements are more than the \(available) that its storage has"
        }
    }
}
