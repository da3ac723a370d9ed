import Networks
import Sampling

/// The families of models that single files hold, as far as their parts differ.
enum SingleFileFamily: String, Sendable, CaseIterable {
    case stableDiffusion1 = "Stable Diffusion 1"
    case stableDiffusion2 = "Stable Diffusion 2"
    case stableDiffusionXL = "Stable Diffusion XL"
    case stableDiffusionXLRefiner = "Stable Diffusion XL Refiner"

    /// Where a text encoder's weights are.
    struct TextEncoder: Sendable {
        let prefix: String
        let layout: Layout
    }

    /// Whose names a text encoder's weights have.
    enum Layout: Sendable {
        case transformers
        case openCLIP
        /// OpenCLIP's weights under the names that stable-diffusion.cpp gives them: transformers', with queries, keys and
        /// values in one matrix, or in three.
        case renamedOpenCLIP

        /// What the names of such an encoder begin with.
        var firstName: String {
            switch self {
            case .transformers: ""
            case .openCLIP: "transformer.resblocks."
            case .renamedOpenCLIP: "text_model."
            }
        }

        var isOpenCLIP: Bool { self != .transformers }
    }

    /// Whether the one text encoder is OpenCLIP's under transformers' names.
    private static func isOpenCLIPRenamed(_ has: (String) -> Bool) -> Bool {
        let layers = "cond_stage_model.transformer.text_model.encoder.layers."
        return has(layers + "0.self_attn.in_proj.") || has(layers + "22.")
    }

    /// The family of a file and where its text encoders are, by the tensors that it has; nil where it has none.
    ///
    /// - Parameter has: Whether there is a tensor whose name begins so.
    static func found(_ has: (String) -> Bool) -> (family: Self, textEncoders: [TextEncoder])? {
        let own = [stableDiffusionXL, stableDiffusionXLRefiner, stableDiffusion2].map {
            ($0, $0.textEncoders)
        }
        // stable-diffusion.cpp's files that were converted before 2026, or with --convert-name (name_conversion.cpp).
        let (first, second) = ("cond_stage_model.transformer.", "cond_stage_model.1.transformer.")
        var renamed: [(Self, [TextEncoder])] = [
            (
                .stableDiffusionXL,
                [
                    .init(prefix: first, layout: .transformers),
                    .init(prefix: second, layout: .renamedOpenCLIP),
                ]
            )
        ]
        if isOpenCLIPRenamed(has) {
            let isXL = has(CompVisUNetNames.prefix + "label_emb.")
            renamed.append(
                (
                    isXL ? .stableDiffusionXLRefiner : .stableDiffusion2,
                    [.init(prefix: first, layout: .renamedOpenCLIP)]
                ))
        }
        let all = own + renamed + [(stableDiffusion1, stableDiffusion1.textEncoders)]
        return all.first { $0.1.allSatisfy { has($0.prefix + $0.layout.firstName) } }
    }

    var textEncoders: [TextEncoder] {
        switch self {
        case .stableDiffusion1: [.init(prefix: "cond_stage_model.transformer.", layout: .transformers)]
        case .stableDiffusion2: [.init(prefix: "cond_stage_model.model.", layout: .openCLIP)]
        case .stableDiffusionXL:
            [
                .init(prefix: "conditioner.embedders.0.transformer.", layout: .transformers),
                .init(prefix: "conditioner.embedders.1.model.", layout: .openCLIP),
            ]
        case .stableDiffusionXLRefiner: [.init(prefix: "conditioner.embedders.0.model.", layout: .openCLIP)]
        }
    }

    var isXL: Bool { self == .stableDiffusionXL || self == .stableDiffusionXLRefiner }

    /// How many of OpenCLIP's last layers are never computed: Stable Diffusion 2 attends to the last but one.
    var unusedLayers: Int { self == .stableDiffusion2 ? 1 : 0 }

    /// The height and width that the U-Net was trained at, in latent cells.
    ///
    /// - Parameter prediction: Of Stable Diffusion 2 the larger one predicts velocities.
    func sampleSize(_ prediction: PredictionType) -> Int {
        if isXL { return 128 }
        return self == .stableDiffusion2 && prediction == .vPrediction ? 96 : 64
    }

    /// What latents are multiplied by after encoding.
    var scalingFactor: Double { isXL ? 0.13025 : 0.18215 }

    /// diffusers' pipeline.
    var pipelineClass: String { isXL ? "StableDiffusionXLPipeline" : "StableDiffusionPipeline" }

    /// The name of a family that is not here, by the tensors that only it has.
    ///
    /// - Parameter has: Whether there is a tensor whose name begins so.
    static func other(_ has: (String) -> Bool) -> String? {
        let unet = CompVisUNetNames.prefix
        if has(unet + "joint_blocks.") { return "a Stable Diffusion 3 model" }
        if has(unet + "double_blocks.") || has(unet + "double_layers.") { return "a Flux or AuraFlow model" }
        if has("noise_augmentor.") || has("embedder.model.visual.") { return "a Stable unCLIP model" }
        if has("cond_stage_model.model.visual.") || has("cond_stage_model.vision_model.") {
            return "an image variations model"
        }
        if has("control_model.") { return "a ControlNet" }
        if has("edm_mean") || has("edm_vpred.") {
            return "a model with noise levels of its own (Playground 2.5, CosXL)"
        }
        let isXL = has("conditioner.embedders.") || has("cond_stage_model.1.") || isOpenCLIPRenamed(has)
        if has(unet + "label_emb.weight") || has(unet + "label_emb.") && !isXL { return "an upscaler" }
        return nil
    }
}
