import Imaging

/// Settings that are read are the same after they are written and read again.
func checkParameters(_ bytes: [UInt8]) throws(Broken) {
    guard let read = GenerationMetadata(parameters: String(decoding: bytes, as: UTF8.self)) else { return }
    guard let again = GenerationMetadata(parameters: read.parameters) else {
        throw Broken(description: "not read again: \(read.parameters.debugDescription)")
    }
    try require(
        again.prompt == read.prompt && again.negativePrompt == read.negativePrompt && again.seed == read.seed
            && again.steps == read.steps && again.model == read.model,
        "\(again) is not \(read)")
}
