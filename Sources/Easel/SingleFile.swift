import Checkpoints
import Networks
import Sampling
import TensorGraph

/// A whole model in one file, in the layout of CompVis' program and Stability's: the U-Net, the autoencoder and the text
/// encoders, each under a prefix. What it is, is told by its tensors.
struct SingleFile: Sendable {
    let family: SingleFileFamily
    let prediction: PredictionType
    let encoders: [SingleFileFamily.TextEncoder]
    private let checkpoint: Checkpoint

    var origin: String { checkpoint.origin }
    var format: CheckpointFormat { checkpoint.format }
    /// Whether the U-Net has matrices that ggml's blocks of few bits are.
    var isInBlocks: Bool {
        checkpoint.format == .gguf
            && checkpoint.names.contains {
                $0.hasPrefix(CompVisUNetNames.prefix) && checkpoint.storedType(of: $0)?.hasPrefix("Q") == true
            }
    }
    var title: String { checkpoint.metadata["modelspec.title"] ?? "" }

    /// Whether a tensor's name is one of a whole model's, if only of a part of it.
    static func isPrefixed(_ name: String) -> Bool {
        [
            CompVisUNetNames.prefix, "cond_stage_model.", "conditioner.embedders.", "model_ema.",
            "control_model.", "model.diffusion_model",
        ].contains { name.hasPrefix($0) }
    }

    /// What a file is that has one network of a model, without a prefix; nil for others.
    ///
    /// - Parameter has: Whether there is a tensor whose name begins so.
    static func lonePart(_ has: (String) -> Bool) -> String? {
        if has("input_blocks.") { return "a U-Net alone, under CompVis' names" }
        if has("down_blocks."), has("conv_in.") {
            return "a U-Net alone, under diffusers' names: it goes into unet/ of a model's folder"
        }
        if has("double_blocks.") || has("joint_blocks.") || has("transformer_blocks.") {
            return "a transformer of another family (Flux, Stable Diffusion 3 and the like)"
        }
        if has("text_model.encoder.") || has("transformer.resblocks.") { return "a text encoder alone" }
        return nil
    }

    /// - Throws: ``ModelError`` where it is no such file; `FileError`.
    init(_ checkpoint: Checkpoint) throws {
        self.checkpoint = checkpoint
        func has(_ prefix: String) -> Bool { checkpoint.names.contains { $0.hasPrefix(prefix) } }
        func failure(_ reason: String) -> ModelError { ModelError(model: checkpoint.origin, reason: reason) }
        guard has(CompVisUNetNames.prefix) else {
            if let part = Self.lonePart(has) { throw failure("this is \(part), not a whole model") }
            throw failure(
                "there is no U-Net in this file: no tensor's name begins with \(CompVisUNetNames.prefix.quoted). "
                    + "It may be a part of a model, as a VAE or a LoRA is")
        }
        if let other = SingleFileFamily.other(has) {
            throw failure(
                "this is \(other), which is not supported; supported are "
                    + SingleFileFamily.allCases.map(\.rawValue).joined(separator: ", "))
        }
        guard let (family, encoders) = SingleFileFamily.found(has) else {
            let prefixes = Set(SingleFileFamily.allCases.flatMap(\.textEncoders).map(\.prefix)).sorted()
            throw failure(
                "there is no text encoder in this file: no tensor's name begins with "
                    + prefixes.joined(separator: " or "))
        }
        (self.family, self.encoders) = (family, encoders)
        prediction = try Self.prediction(checkpoint, family)
    }

    /// What the U-Net was trained to predict: as the file's own notes say, or a tensor that some programs put there as a
    /// mark. Where Stable Diffusion 2 has neither, the spread of a layer's bias tells: it is above 0.09 in models of
    /// velocities, as ComfyUI found (`comfy/supported_models.py`).
    private static func prediction(_ checkpoint: Checkpoint, _ family: SingleFileFamily) throws
        -> PredictionType
    {
        switch checkpoint.metadata["modelspec.prediction_type"] {
        case "v", "v_prediction": return .vPrediction
        case "epsilon": return .epsilon
        default: break
        }
        if checkpoint.entry(named: "v_pred") != nil { return .vPrediction }
        let name = CompVisUNetNames.prefix + "output_blocks.11.1.transformer_blocks.0.norm1.bias"
        guard family == .stableDiffusion2, let entry = checkpoint.entry(named: name) else { return .epsilon }
        let mapped = try checkpoint.map([name], additionalBytes: 0)
        let values = mapped.floats(of: name, entry) ?? []
        try mapped.validate()
        let mean = values.reduce(0, +) / Float(max(values.count, 1))
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(max(values.count, 1))
        return variance.squareRoot() > 0.09 ? .vPrediction : .epsilon
    }

    /// - Throws: ``ModelError``.
    func unet() throws(ModelError) -> ModelComponents.Component {
        let stored = checkpoint.weights(under: CompVisUNetNames.prefix)
        guard CompVisUNetNames.fits(stored) else { throw missing("U-Net's input_blocks.0.0") }
        let weights = stored.translated(CompVisUNetNames(stored).table)
        guard let configuration = Configuration.unet(of: weights, sampleSize: family.sampleSize(prediction))
        else {
            throw missing("level of a U-Net")
        }
        return .init(configuration: configuration, weights: weights)
    }

    /// - Throws: ``ModelError``.
    func autoencoder() throws(ModelError) -> ModelComponents.Component {
        // stable-diffusion.cpp writes an autoencoder that was given beside the model under a prefix of its own.
        let places = [CompVisAutoencoderNames.prefix, "vae."].map { checkpoint.weights(under: $0) }
        let stored = places.first(where: CompVisAutoencoderNames.fits) ?? places[0]
        guard CompVisAutoencoderNames.fits(stored) else { throw missing("autoencoder") }
        let weights = WeightView(
            stored.translated(CompVisAutoencoderNames(stored).table),
            leavingOut: ModelComponents.Component.isNoWeight)
        guard let configuration = Configuration.autoencoder(of: weights, scalingFactor: family.scalingFactor)
        else {
            throw missing("level of an autoencoder")
        }
        return .init(configuration: configuration, weights: weights)
    }

    /// - Throws: ``ModelError``.
    func textEncoders() throws(ModelError) -> [ModelComponents.Component] {
        try encoders.map { encoder throws(ModelError) in
            let stored = checkpoint.weights(under: encoder.prefix)
            let weights =
                switch encoder.layout {
                case .transformers: stored
                case .openCLIP:
                    WeightView(
                        stored, sources: OpenCLIPNames.sources(stored, leavingOut: family.unusedLayers))
                case .renamedOpenCLIP:
                    WeightView(
                        stored, sources: OpenCLIPNames.renamedSources(stored, leavingOut: family.unusedLayers)
                    )
                }
            guard
                let configuration = Configuration.textEncoder(
                    of: weights, activation: encoder.layout.isOpenCLIP ? "gelu" : "quick_gelu")
            else { throw missing("layer of a text encoder") }
            return .init(configuration: configuration, weights: weights)
        }
    }

    /// The schedule that the family was trained with, and the sampler of its own folder.
    var scheduler: Configuration {
        let shared: JSONObject = [
            "beta_end": 0.012, "beta_schedule": "scaled_linear", "beta_start": 0.00085,
            "num_train_timesteps": 1000, "prediction_type": .string(prediction.rawValue),
            "rescale_betas_zero_snr": .bool(checkpoint.entry(named: "ztsnr") != nil),
            "set_alpha_to_one": false, "skip_prk_steps": true, "steps_offset": 1,
        ]
        func has(_ name: String) -> Bool { checkpoint.entry(named: CompVisUNetNames.prefix + name) != nil }
        let own =
            has("time_embed.cond_proj.weight")
            ? shared.with("_class_name", "LCMScheduler")
            : family.isXL
                ? shared.with("_class_name", "EulerDiscreteScheduler").with("timestep_spacing", "leading")
                : shared.with("_class_name", "PNDMScheduler")
        return Configuration(own, path: checkpoint.origin)
    }

    private func missing(_ what: String) -> ModelError {
        ModelError(
            model: checkpoint.origin, reason: "there is no \(what) in this file; it is not a whole model")
    }
}
