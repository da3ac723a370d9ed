/// What else a file that was to be a safetensors file may be, told by its first bytes.
enum ForeignFormat {
    /// The longest beginning that is looked at.
    static let byteCount = PlainText.byteCount

    /// - Parameter start: The file's first ``byteCount`` bytes, or all where there are fewer.
    static func recognize(_ start: [UInt8]) -> SafetensorsError.Problem? {
        if let text = PlainText(start), text.isGitLFSPointer {
            return .otherFormat("it is \(text.kind)", remedy: "Fetch the file itself: git lfs pull")
        }
        if start.starts(with: [0x50, 0x4B, 0x03, 0x04]) || start.starts(with: [0x50, 0x4B, 0x05, 0x06]) {
            return .otherFormat(
                "it begins like a zip archive, which PyTorch's .ckpt and .bin files are", remedy: pickleRemedy
            )
        }
        // PROTO 2 to 5, then an opcode: a header of 640 to 1408 bytes also begins with the first two.
        if start.count > 2, start[0] == 0x80, (2...5).contains(start[1]), start[2] != 0 {
            return .otherFormat(
                "it begins like a pickle, but not one that torch.save wrote", remedy: pickleRemedy)
        }
        if start.starts(with: [0x50, 0x4B, 0x07, 0x08]) {
            return .otherFormat(
                "it is the first of a zip archive's several parts", remedy: "Fetch the whole file again")
        }
        if start.starts(with: [0x1F, 0x8B]) {
            return .otherFormat("it is compressed by gzip", remedy: "Unpack it: gunzip")
        }
        if start.starts(with: [0xFF, 0xFE]) || start.starts(with: [0xFE, 0xFF]) {
            return .otherFormat("it is a text in UTF-16", remedy: "Fetch the file again")
        }
        if start.count >= 8, start.allSatisfy({ $0 == 0 }) {
            return .otherFormat(
                "it begins with nothing but zeros; it was probably not downloaded completely",
                remedy: "Fetch the file again")
        }
        if start.dropFirst(257).starts(with: "ustar".utf8) {
            return .otherFormat(
                "it is a tar archive, as PyTorch before 0.1.10 wrote them", remedy: pickleRemedy)
        }
        if start.starts(with: "lmgg".utf8) || start.starts(with: "fmgg".utf8)
            || start.starts(with: "tjgg".utf8)
        {
            return .otherFormat(
                "it is a file of ggml's from before GGUF", remedy: "Get the model as GGUF or safetensors")
        }
        return nil
    }

    private static let pickleRemedy = "Get the model's safetensors files"
}
