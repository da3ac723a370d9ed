import CZlib

/// A member of a zip archive: bytes of the file, stored as they are.
struct ZipMember: Sendable {
    let name: String
    /// Where its bytes are in the file.
    let range: Range<Int>
    /// The CRC-32 of its bytes. Nil where the archive has a 0 for it, as PyTorch writes it where
    /// `torch.utils.serialization.config.save.compute_crc32` is off.
    let checksum: UInt32?

    /// Compares its bytes with their checksum; without one, anything fits.
    ///
    /// - Parameter file: All bytes of the file.
    /// - Throws: ``TorchError``.
    func validateChecksum(in file: UnsafeRawBufferPointer, path: String) throws(TorchError) {
        guard let checksum else { return }
        let bytes = UnsafeRawBufferPointer(rebasing: file[range])
        let actual = UInt32(crc32_z(0, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count))
        guard actual == checksum else {
            throw TorchError(
                path: path, problem: .checksum(member: name, expected: checksum, actual: actual))
        }
    }
}
