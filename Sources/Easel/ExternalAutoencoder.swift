import Checkpoints
import Foundation
import Networks
import TensorGraph

extension ModelComponents.Component {
    /// An autoencoder that is taken in place of a model's own: a file, a component's folder, or a model's.
    ///
    /// - Parameters:
    ///   - location: A file of CompVis' or diffusers' names, with or without a prefix; TAESD's own `taesd_decoder`, with
    ///     `taesd_encoder` where it lies beside it; a folder with `config.json`, as `vae` is in diffusers' layout; a model's
    ///     folder.
    ///   - scale: That of the model's latents: a file does not say its own.
    /// - Throws: ``ModelError`` where there is none, and what the readers throw.
    init(autoencoderAt location: URL, scalingFactor scale: Double) throws {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: location.path, isDirectory: &isFolder)
        if exists, isFolder.boolValue {
            let isModel = FileManager.default.fileExists(
                atPath: location.appending(path: "model_index.json").path)
            if isModel {
                self = try ModelComponents(ModelFolder(at: location)).autoencoder
                return
            }
            let configuration = try Configuration(contentsOf: location.appending(path: "config.json"))
            let weights = try Checkpoint(contentsOf: ModelFolder.weights(inComponent: location))
            self.init(
                configuration: configuration,
                weights: try weights.renamed(by: { formerAutoencoderNames[$0] ?? $0 }))
            return
        }
        let checkpoint = try Checkpoint(contentsOf: location)
        let prefix = CompVisAutoencoderNames.prefix
        let hasPrefix = checkpoint.names.contains { $0.hasPrefix(prefix) }
        let stored: any WeightStorage = hasPrefix ? checkpoint.weights(under: prefix) : checkpoint
        func component(_ weights: WeightView, _ configuration: Configuration?) throws -> Self {
            guard let configuration else {
                throw ModelError(
                    model: checkpoint.origin,
                    reason: "there is no autoencoder (VAE) in this file, or only its encoder")
            }
            return Self(configuration: configuration, weights: weights)
        }
        if let half = TinyAutoencoderNames.half(stored) {
            let weights = try Self.halves(of: checkpoint, at: location, half)
            guard let configuration = Configuration.tinyAutoencoder(of: weights) else {
                let name = TinyAutoencoderNames.fileName(of: .decoder, beside: location.lastPathComponent)
                throw ModelError(
                    model: checkpoint.origin,
                    reason:
                        "this is the encoder of a small autoencoder (TAESD) alone; pictures need its decoder"
                        + (name.map { ": put \($0) beside it" } ?? ""))
            }
            self.init(configuration: configuration, weights: weights)
        } else if let prefixes = TinyAutoencoderNames.prefixes(stored) {
            let weights = stored.translated(TinyAutoencoderNames(prefixes).table)
            self = try component(weights, .tinyAutoencoder(of: weights))
        } else if stored.names.contains(where: { $0.hasPrefix("decoder.layers.") }) {
            let weights = WeightView(stored, leavingOut: { _ in false })
            self = try component(weights, .tinyAutoencoder(of: weights))
        } else if CompVisAutoencoderNames.fits(stored) {
            let weights = WeightView(
                stored.translated(CompVisAutoencoderNames(stored).table), leavingOut: Self.isNoWeight)
            self = try component(weights, .autoencoder(of: weights, scalingFactor: scale))
        } else {
            let renamed = try stored.renamed(by: { formerAutoencoderNames[$0] ?? $0 })
            let weights = WeightView(renamed, leavingOut: Self.isNoWeight)
            self = try component(weights, .autoencoder(of: weights, scalingFactor: scale))
        }
    }

    /// A half of TAESD in its author's files, with the other one where that lies beside it.
    private static func halves(
        of checkpoint: Checkpoint, at location: URL, _ half: TinyAutoencoderNames.Half
    ) throws -> WeightView {
        guard
            let name = TinyAutoencoderNames.fileName(of: half.other, beside: location.lastPathComponent),
            let other = Self.file(named: name, in: location.deletingLastPathComponent())
        else { return checkpoint.translated(TinyAutoencoderNames(half).table) }
        guard TinyAutoencoderNames.half(try Checkpoint(contentsOf: other)) == half.other else {
            throw ModelError(
                model: other.path,
                reason:
                    "by its name this is the \(half.other.rawValue) that belongs to \(location.lastPathComponent), "
                    + "but not by its tensors; move it away to do without")
        }
        // The halves' names are the same.
        let prefixes = [half: "\(half.rawValue).", half.other: "\(half.other.rawValue)."]
        let both = try Checkpoint(contentsOf: [
            (location, "\(half.rawValue)."), (other, "\(half.other.rawValue)."),
        ])
        return both.translated(TinyAutoencoderNames(prefixes).table)
    }

    /// A file of that name, or of one that ends otherwise: the halves' formats may differ.
    private static func file(named name: String, in folder: URL) -> URL? {
        let wanted = folder.appending(path: name)
        let stem = wanted.deletingPathExtension()
        let others = ["safetensors", "pth", "pt", "ckpt", "bin"].map { stem.appendingPathExtension($0) }
        return ([wanted] + others).first { FileManager.default.fileExists(atPath: $0.path) }
    }

    /// What trainers leave beside an autoencoder's weights.
    static func isNoWeight(_ name: String) -> Bool {
        name.hasPrefix("loss.") || name.hasPrefix("model_ema.")
    }
}

extension ModelComponents {
    /// The same model with another autoencoder.
    ///
    /// - Throws: As `Component.init(autoencoderAt:scalingFactor:)`.
    func replacingAutoencoder(_ location: URL) throws -> ModelComponents {
        var components = self
        let scale = try autoencoder.configuration.number("scaling_factor", default: 0.18215, in: 1e-6...1e6)
        components.autoencoder = try Component(autoencoderAt: location, scalingFactor: scale)
        return components
    }
}
