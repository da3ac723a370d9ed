/// A reader of bytes from strangers, and what must hold for any bytes.
public enum FuzzTarget: String, CaseIterable, Sendable {
    /// The JSON reader, in both dialects.
    case json
    /// The header of a safetensors file.
    case safetensors
    /// A file of `torch.save`, in either format.
    case torch
    /// The pickle in a file of `torch.save`, which is put into an archive of right checksums.
    case pickle
    /// A GGUF file.
    case gguf
    /// An adapter: LoRA and its kin, for a small model. This one and the next two are given as `DescribedFile` says.
    case adapter
    /// The embeddings of a word: textual inversion.
    case inversion
    /// A file of weights of which nobody says what it is.
    case model
    /// What a hub answers about a file and a repository.
    case hub
    /// What is to be pulled: the name of a repository, or an address.
    case source
    /// `vocab.json` and `merges.txt` of a tokenizer, a zero byte between them; without one, `tokenizer.json`, or OpenAI's
    /// file of merges.
    case tokenizer
    /// A prompt.
    case prompt
    /// A PNG file.
    case png
    /// A picture in any format that is read.
    case picture
    /// The settings that a picture carries.
    case parameters
    /// A form that a client sends: its content type, a zero byte, and the body.
    case form
    /// A server's stream of events.
    case events

    /// Reads the bytes.
    ///
    /// - Throws: ``Broken`` where something that must hold does not; a refusal of the bytes is no error.
    public func check(_ bytes: [UInt8]) throws(Broken) {
        switch self {
        case .json: try checkJSON(bytes)
        case .safetensors: try checkSafetensors(bytes)
        case .torch: try checkTorch(bytes)
        case .pickle: try checkPickle(bytes)
        case .gguf: try checkGGUF(bytes)
        case .adapter: try checkAdapter(bytes)
        case .inversion: try checkInversion(bytes)
        case .model: try checkModelFile(bytes)
        case .hub: try checkHub(bytes)
        case .source: try checkSource(bytes)
        case .tokenizer: try checkTokenizer(bytes)
        case .prompt: try checkPrompt(bytes)
        case .png: try checkPNG(bytes)
        case .picture: try checkPicture(bytes)
        case .parameters: try checkParameters(bytes)
        case .form: try checkForm(bytes)
        case .events: try checkEventStream(bytes)
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
