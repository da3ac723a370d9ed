import TensorGraph

/// Why a file is not a safetensors file that can be loaded.
public struct SafetensorsError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Problem: Sendable, Hashable {
        /// The file has another format; where it is a pointer, `remedy` says to what.
        case otherFormat(String, remedy: String)
        /// The file is too short for the header's length.
        case tooShort(bytes: Int)
        /// The header is longer than is read.
        case headerTooLong(bytes: UInt64, limit: Int)
        /// The header is longer than the file.
        case headerBeyondFile(bytes: Int, fileBytes: Int)
        /// The header is not the JSON that it should be.
        case malformedHeader(JSONError)
        /// The header has more entries than are read.
        case tooManyEntries(limit: Int)
        /// A name has a control character.
        case controlCharacter(name: String)
        /// A tensor's field is missing (`actual` is nil), or is something else than it must be.
        case wrongField(tensor: String, field: String, expected: String, actual: String?)
        /// The format has no such element type.
        case unknownType(tensor: String, type: String)
        /// The format has this element type, and nothing here reads it.
        case unsupportedType(tensor: String, type: String)
        /// The elements together do not fill whole bytes.
        case partialByte(tensor: String, type: String, shape: Shape)
        /// The number of bytes that the shape calls for is beyond `Int`.
        case shapeTooLarge(tensor: String, shape: Shape)
        /// The shape and the offsets give different sizes.
        case wrongSize(tensor: String, shape: Shape, type: String, shapeBytes: Int, offsetBytes: Int)
        /// The offsets are in the wrong order.
        case reversedOffsets(tensor: String, begin: Int, end: Int)
        /// The offsets point behind the end of the file.
        case beyondEnd(tensor: String, end: Int, dataBytes: Int)
        /// A tensor begins before another ends.
        case overlap(tensor: String, begin: Int, other: String, otherEnd: Int)
        /// Bytes before a tensor belong to none.
        case gap(tensor: String, begin: Int, previousEnd: Int)
        /// Bytes at the end of the file belong to no tensor.
        case trailing(bytes: Int)
    }

    public let path: String
    public let problem: Problem

    public var description: String {
        if case .malformedHeader(let error) = problem { return error.description }
        return "\(path): " + problem.reason
    }
}

extension SafetensorsError.Problem {
    fileprivate var reason: String {
        switch self {
        case .otherFormat(let format, let remedy): "not a safetensors file: \(format). \(remedy)"
        case .tooShort(let bytes): "a safetensors file needs at least 8 bytes, this one has \(bytes)"
        case .headerTooLong(let bytes, let limit):
            "not a safetensors file, or a damaged one: its header would have \(bytes) bytes, at most \(limit) "
                + "are read"
        case .headerBeyondFile(let bytes, let fileBytes):
            "the header needs \(bytes) bytes behind the first 8, but the file has only \(fileBytes) in all; "
                + "it was probably not downloaded completely"
        case .malformedHeader(let error): error.description
        case .tooManyEntries(let limit): "the header has more than \(limit) entries"
        case .controlCharacter(let name): "the name \(name.quoted) has a control character"
        case .wrongField(let tensor, let field, let expected, let actual?):
            "\(tensor.quoted): \(field) must be \(expected), but is \(actual)"
        case .wrongField(let tensor, let field, let expected, nil):
            "\(tensor.quoted): \(field) is missing; it must be \(expected)"
        case .unknownType(let tensor, let type): "\(tensor.quoted): there is no element type \(type.quoted)"
        case .unsupportedType(let tensor, let type):
            "\(tensor.quoted): elements of type \(type) are not supported; use a checkpoint in F16, BF16 or F32"
        case .partialByte(let tensor, let type, let shape):
            "\(tensor.quoted): \(shape) elements of type \(type) do not fill whole bytes"
        case .shapeTooLarge(let tensor, let shape):
            "\(tensor.quoted): the shape \(shape) has more bytes than can be addressed"
        case .wrongSize(let tensor, let shape, let type, let shapeBytes, let offsetBytes):
            "\(tensor.quoted): the shape \(shape) of \(type) needs \(shapeBytes) bytes, "
                + "data_offsets give it \(offsetBytes)"
        case .reversedOffsets(let tensor, let begin, let end):
            "\(tensor.quoted): data_offsets begin at \(begin) and end before, at \(end)"
        case .beyondEnd(let tensor, let end, let dataBytes):
            "\(tensor.quoted): ends at byte \(end) of the data, but the file has only \(dataBytes); "
                + "it was probably not downloaded completely"
        case .overlap(let tensor, let begin, let other, let otherEnd):
            "\(tensor.quoted) begins at byte \(begin) of the data, before \(other.quoted) ends at \(otherEnd)"
        case .gap(let tensor, let begin, let previousEnd):
            "\(tensor.quoted) begins at byte \(begin) of the data, but the tensor before it ends at "
                + "\(previousEnd): \(begin - previousEnd) bytes belong to no tensor"
        case .trailing(let bytes):
            "\(bytes) byte\(bytes == 1 ? "" : "s") at the end belong\(bytes == 1 ? "s" : "") to no tensor"
        }
    }
}
