import Checkpoints
import Foundation
import Networks
import TensorGraph

/// A model of any layout, to be written in another: diffusers' folder, or one file in CompVis' and Stability's layout.
public struct ModelConversion: Sendable {
    public enum Layout: String, Sendable, Hashable, CaseIterable {
        case folder
        /// safetensors.
        case file
    }

    private(set) var components: ModelComponents
    let parts: ModelParts

    /// Opens the model; reads no weights yet.
    ///
    /// - Parameters:
    ///   - location: The model's folder or file.
    ///   - vocabulary: CLIP's vocabulary for a single file; nil takes the one that was installed.
    ///   - vae: An autoencoder in place of the model's own.
    ///   - loras: What is added to the weights for good.
    /// - Throws: What ``Model/init(at:engine:precision:vocabulary:vae:)`` throws for the model, `AdapterError`.
    public init(
        of location: URL, vocabulary: URL? = nil, vae: URL? = nil, loras: [LoRA] = []
    ) throws {
        let stored = try ModelComponents(at: location, vocabulary: vocabulary)
        let whole = try vae.map { try stored.replacingAutoencoder($0) } ?? stored
        parts = try ModelParts(whole)
        components = whole.adapted(try AdapterLibrary(parts).load(loras))
        // A network whose weights do not fit is not written.
        for network in ModelNetwork.allCases
        where network != .secondTextEncoder || parts.textEncoders.count > 1 {
            if network == .vaeEncoder, !components.hasEncoder { continue }
            _ = try network.graph(parts, height: parts.unet.sampleHeight, width: parts.unet.sampleWidth)
        }
    }

    /// A tensor with values that are not finite numbers, which are written as they are; nil where there is none. Reads all
    /// weights.
    ///
    /// - Throws: `FileError`, `TorchError` where the weights are not those that a file has checksums of.
    public func damage() throws -> Warning? {
        let all =
            components.textEncoders.map(\.weights) + [
                components.unet.weights, components.autoencoder.weights,
            ]
        var files: Set<String> = []
        for weights in all where files.insert(weights.origin).inserted { try weights.validateChecksums() }
        for weights in all {
            let mapped = try weights.map(additionalBytes: 0)
            let damaged = mapped.firstNonFinite(in: weights)
            try mapped.validate()
            guard let damaged else { continue }
            return .notFiniteWeights(file: weights.origin, tensor: weights.nameInFile(of: damaged))
        }
        return nil
    }

    /// Has the layers that int8 is for written as integers of 8 bits, each row with a scale, beside the ranges of their
    /// activations: a file that is computed with integers without a calibration.
    ///
    /// - Parameter ranges: Of the model's activations, from ``Model/activationRanges()``.
    public mutating func quantize(_ ranges: ActivationRanges) {
        let (unet, autoencoder) = (components.unet, components.autoencoder)
        components.unet = ModelComponents.Component(
            configuration: unet.configuration,
            weights: unet.weights.quantized(UNet.quantizedLayers(of: unet.weights), ranges))
        components.autoencoder = ModelComponents.Component(
            configuration: autoencoder.configuration,
            weights: autoencoder.weights.quantized(
                parts.autoencoder.quantizedDecoderLayers(of: autoencoder.weights), ranges))
    }

    /// Checks that the model can be written there, without writing it.
    ///
    /// - Throws: ``ModelError`` where something is there, or the layout has no place for a part.
    public func check(_ target: URL, layout: Layout) throws {
        guard !FileManager.default.fileExists(atPath: target.path) else {
            throw ModelError(model: target.path, reason: "there is something of this name already")
        }
        if layout == .file { _ = try SingleFileLayout(components, parts) }
    }

    /// Writes the model; the file or the folder appears whole or not at all.
    ///
    /// - Parameters:
    ///   - target: What must not be there yet.
    ///   - numbers: What they are stored as; nil leaves each as it is. Quantized ones are then `float16`.
    /// - Throws: ``ModelError`` where something is there, or the layout has no place for a part; `FileError`;
    ///   `CancellationError`.
    public func write(to target: URL, layout: Layout, numbers: NumberType? = nil) throws {
        try check(target, layout: layout)
        switch layout {
        case .file:
            let file = try SingleFileLayout(components, parts)
            try SafetensorsWriter(file.groups, numbers: numbers, metadata: file.metadata)
                .write(to: target)
        case .folder: try FolderLayout(components, parts).write(to: target, numbers: numbers)
        }
    }

    /// Writes the model as one GGUF file under the names of CompVis' and Stability's layout, as stable-diffusion.cpp does:
    /// its matrices in blocks, kernels and vectors in numbers. The file appears whole or not at all.
    ///
    /// - Parameters:
    ///   - target: What must not be there yet.
    ///   - numbers: What is stored that is not in blocks, of 16 bits or more; nil leaves each as it is.
    /// - Throws: ``ModelError`` where something is there, or the layout has no place for a part; `FileError`;
    ///   `CancellationError`.
    public func write(to target: URL, blocks: BlockFormat, numbers: NumberType? = nil) throws {
        try check(target, layout: .file)
        guard !components.unet.weights.isQuantized else {
            throw ModelError(
                model: components.origin,
                reason: "it is of integers already; take the model that it was made of")
        }
        let file = try SingleFileLayout(components, parts)
        try GGUFWriter(
            file.groups, blocks: blocks, numbers: numbers,
            metadata: file.metadata.merging(["general.architecture": file.architecture]) { $1 }
        ).write(to: target)
    }
}

extension ModelComponents {
    /// Whether pictures can be encoded: of a small autoencoder there may be the decoder alone.
    var hasEncoder: Bool { autoencoder.weights.names.contains { $0.hasPrefix("encoder.") } }

    /// The same model with adapters' changes in its weights.
    fileprivate func adapted(_ adapters: [LoadedAdapter]) -> ModelComponents {
        var components = self
        components.unet = Component(
            configuration: unet.configuration, weights: unet.weights.adapted(adapters))
        components.textEncoders = textEncoders.enumerated().map { index, encoder in
            Component(
                configuration: encoder.configuration,
                weights: encoder.weights.adapted(adapters, textEncoder: index))
        }
        return components
    }
}

/// A text encoder's tensors under transformers' names, all of which begin with `text_model.` but the projection's.
struct TextEncoderTensors {
    /// The names that the weights have, by those that transformers gives them.
    let sources: [String: String]
    let weights: any WeightStorage
    /// The name of the matrix behind the last layer, and whether it stands as OpenCLIP has it.
    let projection: (name: String, isOpenCLIP: Bool)?

    init(_ weights: any WeightStorage) {
        self.weights = weights
        var sources: [String: String] = [:]
        for name in weights.names {
            if name.hasSuffix("position_ids") || name == "logit_scale" || name.hasPrefix("text_projection") {
                continue
            }
            sources[name.hasPrefix("text_model.") ? name : "text_model." + name] = name
        }
        self.sources = sources
        projection =
            weights.entry(named: "text_projection.weight") != nil
            ? ("text_projection.weight", false)
            : weights.entry(named: "text_projection") != nil ? ("text_projection", true) : nil
    }

    func shape(_ name: String) -> Shape { weights.entry(named: sources[name] ?? name)?.shape ?? [] }

    /// The projection's matrix, one way round or the other.
    func plannedProjection(_ name: String, asOpenCLIP: Bool) -> PlannedTensor? {
        guard let projection, let entry = weights.entry(named: projection.name), entry.shape.rank == 2 else {
            return nil
        }
        let turns = projection.isOpenCLIP != asOpenCLIP
        let shape = turns ? Shape(entry.shape.dimensions.reversed()) : entry.shape
        return PlannedTensor(name, shape: shape, sources: [projection.name], isTransposed: turns)
    }
}
