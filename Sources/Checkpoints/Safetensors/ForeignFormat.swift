/// What else a file that was to be a safetensors file may be, told by its first bytes.
enum ForeignFormat {
    /// The longest beginning that is looked at.
    static let byteCount = 512

    /// - Parameter start: The file's first ``byteCount`` bytes, or all where there are fewer.
    static func recognize(_ start: [UInt8]) -> SafetensorsError.Problem? {
        if start.starts(with: "version https://git-lfs.github.com/spec/".utf8) { return gitLFSPointer(start) }
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
        return page(start)
    }

    private static let pickleRemedy = "Get the model's safetensors files"
    private static let pageRemedy =
        "The download gave a page, often one that asks to log in or to accept a licence, "
        + "in place of the file: download it again"

    /// What a server answers in place of a file. No header of safetensors begins with 8 bytes of text: it would be longer
    /// than any file.
    private static func page(_ start: [UInt8]) -> SafetensorsError.Problem? {
        let text = start.starts(with: [0xEF, 0xBB, 0xBF]) ? start.dropFirst(3) : start[...]
        let beginning = text.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }.prefix(16).map(lowercased)
        if ["<!doctype html", "<html", "<head", "<!--"].contains(where: { beginning.starts(with: $0.utf8) }) {
            return .otherFormat("it is a web page", remedy: pageRemedy)
        }
        let words = text.prefix { $0 >= 0x20 && $0 != 0x7F || [0x09, 0x0A, 0x0D].contains($0) }
        let sentence = String(decoding: words.prefix(60), as: UTF8.self)
        // The cut may go through the last character.
        guard words.count >= 8, !sentence.dropLast().contains("\u{FFFD}") else { return nil }
        return .otherFormat("it is a text, which begins with " + sentence.quoted, remedy: pageRemedy)
    }

    private static func gitLFSPointer(_ start: [UInt8]) -> SafetensorsError.Problem {
        let size =
            start.split(separator: 0x0A).lazy.filter { $0.starts(with: "size ".utf8) }
            .compactMap { Int(String(decoding: $0.dropFirst(5).prefix(20), as: UTF8.self)) }.first
        return .otherFormat(
            "it is a Git LFS pointer to a file" + (size.map { " of \($0) bytes" } ?? ""),
            remedy: "Fetch the file itself: git lfs pull")
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
