/// The family of models that an adapter was trained on.
public enum BaseFamily: String, Sendable, Hashable {
    case stableDiffusion1 = "Stable Diffusion 1"
    case stableDiffusion2 = "Stable Diffusion 2"
    /// Layers that both have, and that later families do not.
    case stableDiffusion1Or2 = "Stable Diffusion 1 or 2"
    case stableDiffusionXL = "Stable Diffusion XL"
    case stableDiffusionXLRefiner = "Stable Diffusion XL Refiner"
    case stableDiffusion3 = "Stable Diffusion 3"
    case flux = "Flux"
    case transformer = "a model whose denoiser is a transformer (Stable Diffusion 3, Flux and others)"

    /// Whether an adapter of the family can be one for a model of another.
    func includes(_ model: Self) -> Bool {
        self == model
            || self == .stableDiffusion1Or2 && [.stableDiffusion1, .stableDiffusion2].contains(model)
    }

    /// What trainers' notes name, as in `sdxl_base_v1-0` (kohya's `ss_base_model_version`) and
    /// `stable-diffusion-v1/lora` (`modelspec.architecture`).
    init?(noted text: String) {
        let word = text.lowercased().filter { $0.isLetter || $0.isNumber }
        func begins(_ starts: String...) -> Bool { starts.contains { word.hasPrefix($0) } }
        if begins("sdxl", "stablediffusionxl", "ssd1b") {
            self = word.contains("refiner") ? .stableDiffusionXLRefiner : .stableDiffusionXL
        } else if begins("sdv1", "sd1", "stablediffusionv1", "stablediffusion1") {
            self = .stableDiffusion1
        } else if begins("sdv2", "sd2", "stablediffusionv2", "stablediffusion2") {
            self = .stableDiffusion2
        } else if begins("sd3", "stablediffusionv3", "stablediffusion3") {
            self = .stableDiffusion3
        } else if begins("flux") {
            self = .flux
        } else {
            return nil
        }
    }

    /// What the layers' names and widths show.
    ///
    /// - Parameters:
    ///   - layers: The names of the denoiser's layers, with underscores for dots.
    ///   - inputWidths: How many numbers each such layer is given, as far as that is known.
    ///   - textWidths: The same of text encoders' layers.
    ///   - hasSecondTextEncoder: Whether layers of one are changed.
    init?(
        layers: Set<String>, inputWidths: [String: Int], textWidths: [String: Int],
        hasSecondTextEncoder: Bool
    ) {
        func has(_ parts: String...) -> Bool {
            layers.contains { layer in parts.contains { layer.hasPrefix($0) } }
        }
        if layers.contains(where: { $0.contains("single_transformer_blocks_") })
            || has("double_blocks_", "single_blocks_")
        {
            self = .flux
        } else if has("joint_blocks_") {
            self = .stableDiffusion3
        } else if has("transformer_", "lora_transformer_") {
            let queries = inputWidths.first { $0.key.hasSuffix("_attn_to_q") }?.value
            self = queries == 1536 || queries == 2432 ? .stableDiffusion3 : .transformer
        } else if let family = inputWidths.lazy.compactMap({ Self(contextOf: $0.key, width: $0.value) }).first
        {
            self = family
        } else if hasSecondTextEncoder || layers.contains(where: Self.isDeepAttention) {
            self = .stableDiffusionXL
        } else if textWidths.contains(where: { $0.key.hasSuffix("_mlp_fc1") && $0.value == 1024 }) {
            self = .stableDiffusion2
        } else if has(
            "down_blocks_0_attentions_", "up_blocks_3_attentions_", "input_blocks_1_1_", "input_blocks_2_1_",
            "output_blocks_9_1_", "output_blocks_10_1_", "output_blocks_11_1_")
        {
            self = .stableDiffusion1Or2
        } else {
            return nil
        }
    }

    /// The width of the text that layers attend to tells families apart.
    private init?(contextOf layer: String, width: Int) {
        guard layer.hasSuffix("_attn2_to_k") || layer.hasSuffix("_attn2_to_v") else { return nil }
        switch width {
        case 768: self = .stableDiffusion1
        case 1024: self = .stableDiffusion2
        case 1280: self = .stableDiffusionXLRefiner
        case 2048: self = .stableDiffusionXL
        default: return nil
        }
    }

    /// Whether it is a layer of a second or later transformer block, where earlier families have one alone.
    private static func isDeepAttention(_ layer: String) -> Bool {
        guard let found = layer.range(of: "_transformer_blocks_") else { return false }
        return !layer[found.upperBound...].hasPrefix("0_")
    }
}
