extension String {
    /// Whether there is a control character, of Unicode's category Cc: no name of a weight or a file has one.
    package var hasControlCharacter: Bool {
        unicodeScalars.contains { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) }
    }
}
