/// How a file holds weights. It is told by the file's first bytes, never by its name.
public enum CheckpointFormat: String, Sendable, Hashable, CaseIterable {
    case safetensors
    /// A zip archive with a pickle, PyTorch's since version 1.6.
    case torchArchive
    /// Five pickles and the values behind them, PyTorch's until then.
    case torchLegacy
    /// ggml's, with quantized weights.
    case gguf

    /// What it is called.
    public var label: String {
        switch self {
        case .safetensors: "safetensors"
        case .torchArchive: "PyTorch checkpoint (zip archive with a pickle)"
        case .torchLegacy: "PyTorch checkpoint (pickles, before version 1.6)"
        case .gguf: "GGUF"
        }
    }

    static let recognizedBytes = 16

    /// - Parameter start: The file's first bytes. What is neither of the others is taken for safetensors, whose reader
    ///   says what it is instead.
    init(_ start: [UInt8]) {
        if start.starts(with: [0x50, 0x4B, 0x03, 0x04]) || start.starts(with: [0x50, 0x4B, 0x05, 0x06]) {
            self = .torchArchive
        } else if start.starts(with: [0x80, 0x02, 0x8A, 0x0A])
            && start.dropFirst(4).starts(with: LegacyTorchFile.magic)
        {
            self = .torchLegacy
        } else if start.starts(with: "GGUF".utf8) {
            self = .gguf
        } else {
            self = .safetensors
        }
    }
}
