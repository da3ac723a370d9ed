import Checkpoints

/// A header that is accepted describes tensors that fill the rest of the file, in order and without holes.
func checkSafetensors(_ bytes: [UInt8]) throws(Broken) {
    guard bytes.count >= 8 else { return }
    let length = bytes[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard length <= bytes.count - 8 else { return }
    let header = Array(bytes[8..<8 + Int(length)])
    let result = Result { () throws(SafetensorsError) in
        try SafetensorsHeader(parsing: header, fileByteCount: bytes.count, path: "input")
    }
    switch result {
    case .success(let header):
        var end = 8 + Int(length)
        for tensor in header.tensors.sorted(by: { ($0.offset, $0.byteCount) < ($1.offset, $1.byteCount) }) {
            try require(tensor.offset == end, "a tensor begins at \(tensor.offset), not \(end)")
            // Numbers of 8 bits with an exponent are read as half precision.
            let width = tensor.storedType.hasPrefix("F8") ? 1 : tensor.entry.elementType.byteCount(of: 1)
            let count = tensor.entry.shape.checkedCount.map { $0 * width }
            try require(count == tensor.byteCount, "\(tensor.byteCount) bytes for \(tensor.entry.shape)")
            end += tensor.byteCount
        }
        try require(end == bytes.count, "the tensors end at \(end) of \(bytes.count)")
    case .failure(let error):
        try require(!error.description.isEmpty, "refused without a reason")
    }
}
