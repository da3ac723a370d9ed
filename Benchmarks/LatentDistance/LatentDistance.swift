import Easel
import EngineInterface
import Foundation
import OpenVINOEngine

/// How far latents are from those at f32, after each step, in other precisions and with other files:
///
///     LatentDistance MODEL STEPS [SIDE] [SAMPLER[:GUIDANCE]] MODE...
///     LatentDistance MODEL layers
///
/// SIDE is that of the pictures in pixels, which a model in one file does not say. A mode is bf16 or int8, with + for compressed weights
/// (`bf16+` of 8 bits, `bf16+4` of 4), and the file that it is of before a colon, where that
/// is not the model (`model.gguf:bf16`). `layers` tells what each layer in int8 alone costs.
@main
struct LatentDistance {
    static func main() async throws {
        var words = Array(CommandLine.arguments.dropFirst())
        guard words.count >= 2 else {
            print(
                "LatentDistance MODEL STEPS [SIDE] [SAMPLER[:GUIDANCE]] MODE... | LatentDistance MODEL layers"
            )
            exit(64)
        }
        let model = URL(filePath: words.removeFirst())
        if words == ["layers"] { return try await LayerSensitivity(model).measure() }
        guard let steps = Int(words.removeFirst()) else { exit(64) }
        let side = words.first.flatMap { Int($0) }
        if side != nil { words.removeFirst() }
        guard let first = words.first else { exit(64) }
        var settings: [Substring] = []
        if Mode(first, of: model) == nil {
            settings = first.split(separator: ":")
            words.removeFirst()
        }
        let modes = words.compactMap { Mode($0, of: model) }
        try await measure(
            model, steps, side: side, sampler: settings.first.map(String.init),
            guidanceScale: settings.dropFirst().first.flatMap { Float($0) }, modes)
    }

    private static func measure(
        _ model: URL, _ steps: Int, side: Int?, sampler: String?, guidanceScale: Float?, _ modes: [Mode]
    ) async throws {
        func trajectories(_ mode: Mode) async throws -> [Trajectory] {
            try await Trajectory.all(
                of: mode.open(), prompts: Trajectory.prompts.count, steps: steps, side: side,
                sampler: sampler,
                guidanceScale: guidanceScale)
        }
        let exact = try await trajectories(Mode(model: model, precision: .float32, weightBits: 0))
        for mode in modes {
            let own = try await trajectories(mode)
            let count = exact.map(\.latents.count).min() ?? 0
            print(
                "\(mode.model.lastPathComponent) \(mode.precision)\(mode.weightBits.map { "+\($0)" } ?? "")")
            for step in 0..<count {
                let distances = zip(own, exact).map { Distance($0.latents[step], from: $1.latents[step]) }
                let cosines = distances.map(\.cosine)
                print(
                    String(
                        format: "  step %2d  cosine: mean %.6f, least %.6f  error: %.4f", step + 1,
                        mean(cosines), cosines.min() ?? 0, mean(distances.map(\.relativeError))))
            }
            let pictures = zip(own, exact).compactMap { own, exact in
                own.image.flatMap { own in exact.image.map { signalToNoise(own, $0) } }
            }
            print(
                String(
                    format: "  pictures  PSNR: mean %.1f dB, least %.1f dB  steps in %.2f of the time",
                    mean(pictures), pictures.min() ?? 0,
                    mean(own.map(\.seconds)) / mean(exact.map(\.seconds))))
        }
    }
}

/// A file, and how it is computed.
struct Mode {
    let model: URL
    let precision: Precision
    /// Nil leaves it to the file.
    let weightBits: Int?

    init(model: URL, precision: Precision, weightBits: Int?) {
        self.model = model
        self.precision = precision
        self.weightBits = weightBits
    }

    /// Nil for what is no mode.
    init?(_ text: String, of model: URL) {
        var parts = text.split(separator: ":").map(String.init)
        guard let name = parts.popLast() else { return nil }
        let words = name.split(separator: "+", omittingEmptySubsequences: false)
        guard let precision = Precision(rawValue: String(words[0])), words.count <= 2 else { return nil }
        let weightBits = words.count == 1 ? nil : words[1].isEmpty ? 8 : Int(words[1])
        let own = parts.isEmpty ? model : URL(filePath: parts.joined(separator: ":"))
        self.init(model: own, precision: precision, weightBits: weightBits)
    }

    func open() throws -> Model {
        try Model(
            at: model, engine: OpenVINOEngine(), precision: precision,
            memory: MemoryUse(compressedWeightBits: weightBits))
    }
}
