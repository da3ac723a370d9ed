import Checkpoints
import Networks
import TensorGraph

/// A model's tensors as one file in CompVis' and Stability's layout has them.
struct SingleFileLayout {
    private(set) var groups: [PlannedTensor.Group] = []
    let metadata: [String: String]
    /// What GGUF files call the family.
    let architecture: String

    /// - Throws: ``ModelError`` where the layout has no place for a part.
    init(_ components: ModelComponents, _ parts: ModelParts) throws(ModelError) {
        guard parts.autoencoder is Autoencoder else {
            throw ModelError(
                model: components.autoencoder.weights.origin,
                reason: "a small autoencoder has no place in a model's file; write a folder")
        }
        let family = SingleFileFamily(parts)
        architecture =
            switch family {
            case .stableDiffusion1: "sd1"
            case .stableDiffusion2: "sd2"
            case .stableDiffusionXL, .stableDiffusionXLRefiner: "sdxl"
            }
        metadata = [
            "format": "pt",
            "modelspec.prediction_type": parts.scheduler.predictionType == .vPrediction ? "v" : "epsilon",
        ]
        let unet = components.unet.weights
        let unetNames = CompVisUNetNames(describing: unet).table.inverted
        groups.append((unet, Self.tensors(unet, CompVisUNetNames.prefix, unetNames)))
        let vae = components.autoencoder.weights
        let vaeNames = CompVisAutoencoderNames(describing: vae).table.inverted
        groups.append((vae, Self.tensors(vae, CompVisAutoencoderNames.prefix, vaeNames)))
        for (encoder, place) in zip(components.textEncoders, family.textEncoders) {
            let tensors = TextEncoderTensors(encoder.weights)
            switch place.layout {
            case .transformers:
                let planned = tensors.sources.sorted { $0.key < $1.key }.map { name, source in
                    PlannedTensor(place.prefix + name, shape: tensors.shape(name), sources: [source])
                }
                groups.append((encoder.weights, planned))
            case .openCLIP, .renamedOpenCLIP:
                groups.append(
                    (
                        encoder.weights,
                        tensors.plannedAsOpenCLIP(place.prefix, unusedLayers: family.unusedLayers)
                    ))
            }
        }
    }

    /// Weights under their other names; a matrix that is a convolution there has two axes more.
    private static func tensors(_ weights: any WeightStorage, _ prefix: String, _ names: ModuleTable)
        -> [PlannedTensor]
    {
        weights.names.sorted().map { name in
            let place = names.place(of: name)
            var shape = weights.entry(named: name)?.shape ?? []
            if place?.isMatrix == true, shape.rank == 2 { shape = Shape(shape.dimensions + [1, 1]) }
            return PlannedTensor(prefix + (place?.name ?? name), shape: shape, sources: [name])
        }
    }
}

extension SingleFileFamily {
    /// The family of a model, by its parts.
    init(_ parts: ModelParts) {
        if parts.unet.addition != nil {
            self = parts.textEncoders.count > 1 ? .stableDiffusionXL : .stableDiffusionXLRefiner
        } else {
            self = parts.textEncoders[0].configuration.isOpenCLIP ? .stableDiffusion2 : .stableDiffusion1
        }
    }
}

extension TextEncoderTensors {
    /// The tensors as OpenCLIP has them, queries, keys and values in one.
    ///
    /// - Parameter unusedLayers: How many layers follow that are never computed, and are written as zeros.
    fileprivate func plannedAsOpenCLIP(_ prefix: String, unusedLayers: Int) -> [PlannedTensor] {
        let layers =
            (0..<1000).first { sources["text_model.encoder.layers.\($0).mlp.fc1.weight"] == nil } ?? 0
        let table = OpenCLIPNames(layers: layers + unusedLayers).table.inverted
        var planned: [PlannedTensor] = []
        func add(_ ours: String, _ theirs: String, from layer: String? = nil) {
            guard let source = sources[ours] ?? layer.flatMap({ sources[$0] }) else { return }
            planned.append(
                PlannedTensor(
                    prefix + theirs, shape: shape(sources[ours] == nil ? layer! : ours),
                    sources: sources[ours] == nil ? [] : [source]))
        }
        for layer in 0..<layers + unusedLayers {
            let path = "text_model.encoder.layers.\(layer)."
            let like = "text_model.encoder.layers.\(min(layer, layers - 1))."
            for kind in ["weight", "bias"] {
                for module in ["layer_norm1", "layer_norm2", "self_attn.out_proj", "mlp.fc1", "mlp.fc2"] {
                    let name = "\(module).\(kind)"
                    guard let theirs = table.name(of: path + name) else { continue }
                    add(path + name, theirs, from: like + name)
                }
                let names = ["q_proj", "k_proj", "v_proj"].map { "self_attn.\($0).\(kind)" }
                var shape = shape(like + names[0])
                if shape.rank > 0 { shape[0] *= 3 }
                planned.append(
                    PlannedTensor(
                        prefix + "transformer.resblocks.\(layer).attn.in_proj_\(kind)", shape: shape,
                        sources: names.compactMap { sources[path + $0] }))
            }
        }
        for (ours, theirs) in [
            ("embeddings.token_embedding.weight", "token_embedding.weight"),
            ("embeddings.position_embedding.weight", "positional_embedding"),
            ("final_layer_norm.weight", "ln_final.weight"), ("final_layer_norm.bias", "ln_final.bias"),
        ] { add("text_model." + ours, theirs) }
        if let projection = plannedProjection(prefix + "text_projection", asOpenCLIP: true) {
            planned.append(projection)
        }
        return planned
    }
}
