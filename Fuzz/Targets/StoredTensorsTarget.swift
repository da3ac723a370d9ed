import Checkpoints
import TensorGraph

/// What is read of a file of `torch.save` is within the file, and can be decoded.
func checkTorch(_ bytes: [UInt8]) throws(Broken) {
    try checkStored(bytes) { buffer throws(TorchError) in
        bytes.first == 0x50
            ? try .torchArchive(buffer, path: "input") : try .torchLegacy(buffer, path: "input")
    }
}

/// What is read of a GGUF file is within the file, and can be decoded.
func checkGGUF(_ bytes: [UInt8]) throws(Broken) {
    guard bytes.count >= 4 else { return }
    try checkStored(bytes) { buffer throws(GGUFError) in try .gguf(buffer, path: "input") }
}

private func checkStored<Refusal: Error & CustomStringConvertible>(
    _ bytes: [UInt8], _ read: (UnsafeRawBufferPointer) throws(Refusal) -> StoredTensors
) throws(Broken) {
    let outcome = bytes.withUnsafeBytes { buffer in
        Result { () throws(Broken) in
            let stored: StoredTensors
            do throws(Refusal) { stored = try read(buffer) } catch {
                return try require(!error.description.isEmpty, "refused without a reason")
            }
            for tensor in stored.tensors {
                guard let count = tensor.entry.shape.checkedCount else {
                    return try require(false, "\(tensor.name) has a shape of no size")
                }
                let byteCount = tensor.entry.elementType.byteCount(of: count)
                switch tensor.values {
                case .inPlace(let offset):
                    try require(
                        offset >= 0 && (byteCount == 0 || offset <= bytes.count - byteCount),
                        "\(tensor.name) is outside the file")
                case .decoded(let decoder):
                    var values = [UInt8](repeating: 0, count: byteCount)
                    values.withUnsafeMutableBytes { decoder.decode(buffer, into: $0) }
                }
            }
        }
    }
    try outcome.get()
}
