import Checkpoints
import TensorGraph

/// The sizes of a CLIP text encoder.
public struct CLIPTextConfiguration: Sendable, Hashable {
    enum Activation: String, Sendable, Hashable, CaseIterable {
        case quickGELU = "quick_gelu"
        case gelu

        func callAsFunction(_ x: Tensor) -> Tensor {
            switch self {
            case .quickGELU: TensorGraph.quickGELU(x)
            case .gelu: TensorGraph.gelu(x)
            }
        }
    }

    public let vocabularySize: Int
    /// The number of tokens that the encoder takes at once.
    public let positions: Int
    /// The size of a token's embedding.
    public let width: Int
    public let layers: Int
    /// The size of what is said of a whole prompt.
    public let projectionWidth: Int
    /// Whether it is one of OpenCLIP's, which have another activation than OpenAI's.
    public var isOpenCLIP: Bool { activation == .gelu }
    let heads: Int
    let feedForwardWidth: Int
    let activation: Activation
    let epsilon: Float

    /// Reads transformers' `config.json` of a `CLIPTextModel`.
    ///
    /// - Throws: `ConfigurationError` where a size is missing, out of range or does not fit another.
    public init(_ configuration: Configuration) throws {
        vocabularySize = try configuration.integer("vocab_size", default: 49408, in: 1...10_000_000)
        // A start, an end and one token between them; at most what a matrix of all pairs has room for.
        positions = try configuration.integer("max_position_embeddings", default: 77, in: 3...4096)
        width = try configuration.integer("hidden_size", default: 512, in: 1...65536)
        layers = try configuration.integer("num_hidden_layers", default: 12, in: 1...1000)
        heads = try configuration.integer("num_attention_heads", default: 8, in: 1...1024)
        feedForwardWidth = try configuration.integer("intermediate_size", default: 2048, in: 1...1_048_576)
        projectionWidth = try configuration.integer("projection_dim", default: 512, in: 1...65536)
        epsilon = Float(try configuration.number("layer_norm_eps", default: 1e-5, in: 0...1))
        let name = try configuration.string("hidden_act", default: Activation.quickGELU.rawValue)
        guard let activation = Activation(rawValue: name) else {
            throw configuration.error(
                "hidden_act", expected: Activation.allCases.map(\.rawValue).joined(separator: " or "))
        }
        self.activation = activation
        try configuration.require(
            width % heads == 0, "num_attention_heads", "a divisor of hidden_size, which is \(width)")
    }
}
