import EngineInterface
import Networks
import TensorGraph

/// How much memory a request takes at most, as it is known before any is taken: what networks hold and need at each of its
/// stages. In bytes.
///
/// The factors are measured, see Benchmarks/README.md: the engine packs weights in its own layout and gives the file's
/// pages back, and holds some values twice, in two layouts.
struct MemoryEstimate: Sendable, Hashable {
    /// What the process takes without networks: the engine's library, most of it.
    static let process = 160_000_000

    private(set) var encodingPrompts = 0
    private(set) var encodingPicture = 0
    private(set) var denoising = 0
    private(set) var decoding = 0

    /// The most that is needed at one time.
    var peak: Int { max(encodingPrompts, encodingPicture, denoising, decoding) }

    /// What a network takes.
    struct Network: Sendable, Hashable {
        /// Ready, without the memory of a run.
        let held: Int
        /// In a run, beside that.
        let run: Int
        var all: Int { held + run }

        static let nothing = Network(held: 0, run: 0)
    }

    /// - Parameters:
    ///   - textEncoders: All of them.
    ///   - encoder: Nil where no picture is encoded.
    init(
        textEncoders: Network, unet: Network, encoder: Network?, decoder: Network, residency: NetworkResidency
    ) {
        let encoder = encoder ?? .nothing
        switch residency {
        case .all:
            encodingPrompts = textEncoders.all + unet.held
            encodingPicture = textEncoders.all + unet.held + encoder.all
            denoising = textEncoders.all + unet.all + encoder.all
            decoding = denoising + decoder.all
        case .unet:
            encodingPrompts = textEncoders.all + unet.all
            encodingPicture = unet.all + encoder.all
            denoising = unet.all
            decoding = unet.all + decoder.all
        case .one, .parts:
            encodingPrompts = textEncoders.all
            encodingPicture = encoder.all
            denoising = unet.all
            decoding = decoder.all
        }
    }
}

extension MemoryEstimate.Network {
    /// What the engine's layouts and copies come to, as factors.
    struct Factors {
        /// Kernels of 3×3 are there in another form too, at `float32` on x86 processors.
        let weights: Double
        /// Beside the values that are read later, the engine holds them in other layouts, and products' parts.
        let values: Double

        static func unet(_ precision: Precision) -> Factors {
            switch precision {
            case .float32: Factors(weights: 1.18, values: 3)
            // Most of the weights are integers of a byte.
            case .int8: Factors(weights: 0.57, values: 3.5)
            case .automatic, .bfloat16, .float16: Factors(weights: 1, values: 3.5)
            }
        }

        static func autoencoder(_ precision: Precision) -> Factors {
            Factors(weights: precision == .float32 ? 2.2 : 1, values: 1.45)
        }

        static let textEncoder = Factors(weights: 1, values: 1)
    }

    /// What an engine takes for so many numbers of weights, and of values in a run.
    init(weights: Int, values: Int, precision: Precision, _ factors: Factors) {
        let size = precision == .float32 ? 4.0 : 2.0
        held = Int(Double(weights) * size * factors.weights)
        run = Int(Double(values) * size * factors.values)
    }
}
