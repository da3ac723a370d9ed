/// A reader of bytes from strangers, and what must hold for any bytes.
public enum FuzzTarget: String, CaseIterable, Sendable {
    /// The JSON reader, in both dialects.
    case json
    /// The header of a safetensors file.
    case safetensors
    /// A file of `torch.save`, in either format.
    case torch
    /// A GGUF file.
    case gguf
    /// `vocab.json` and `merges.txt` of a tokenizer, a zero byte between them.
    case tokenizer
    /// A prompt.
    case prompt
    /// A PNG file.
    case png
    /// A picture in any format that is read.
    case picture
    /// The settings that a picture carries.
    case parameters

    /// Reads the bytes.
    ///
    /// - Throws: ``Broken`` where something that must hold does not; a refusal of the bytes is no error.
    public func check(_ bytes: [UInt8]) throws(Broken) {
        switch self {
        case .json: try checkJSON(bytes)
        case .safetensors: try checkSafetensors(bytes)
        case .torch: try checkTorch(bytes)
        case .gguf: try checkGGUF(bytes)
        case .tokenizer: try checkTokenizer(bytes)
        case .prompt: try checkPrompt(bytes)
        case .png: try checkPNG(bytes)
        case .picture: try checkPicture(bytes)
        case .parameters: try checkParameters(bytes)
        }
    }
}

/// What did not hold.
public struct Broken: Error, CustomStringConvertible {
    public let description: String
}

func require(_ holds: Bool, _ what: @autoclosure () -> String) throws(Broken) {
    if !holds { throw Broken(description: what()) }
}
