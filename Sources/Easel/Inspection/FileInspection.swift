import Checkpoints
import Foundation
import Networks
import TensorGraph

/// What a file or a folder of weights is: what it can be used as, what is in it, and why it would be refused.
public struct FileInspection: Sendable, Codable {
    public enum Kind: String, Sendable, Codable {
        /// A whole model, or what is meant as one.
        case model
        /// LoRA and its kin.
        case adapter
        /// A word's embeddings: textual inversion.
        case embedding
        /// An autoencoder alone.
        case autoencoder
        case unknown
    }

    /// Weights that belong together.
    public struct Part: Sendable, Codable {
        public let name: String
        public let tensors: Int
        /// How many numbers all tensors have.
        public let values: Int
        /// How they are stored: `F16`, `Q8_0`, …, with how many tensors each.
        public let types: [String: Int]
    }

    public let path: String
    public let kind: Kind
    /// safetensors, GGUF, …; diffusers' folder.
    public let format: String
    /// Of all files with weights.
    public let byteCount: Int
    /// The family, and what in particular it is of that.
    public internal(set) var family: String?
    /// What a model predicts: `epsilon` or `v_prediction`.
    public internal(set) var predictionType: String?
    /// The width and height in pixels that a model was trained at.
    public internal(set) var size: [Int]?
    public internal(set) var parts: [Part] = []
    /// What else is to be said, a line each.
    public internal(set) var remarks: [String] = []
    /// Why it cannot be used; nil where nothing stands against it.
    public internal(set) var refusal: String?
    /// What the file says of itself.
    public internal(set) var metadata: [String: String] = [:]
    public internal(set) var hashes: FileHashes?

    /// Looks at a file or a folder; reads no weights but for the hashes and checksums.
    ///
    /// - Parameters:
    ///   - vocabulary: CLIP's vocabulary for a single file; nil takes the one that was installed.
    ///   - hashes: Whether the whole file is read for its hashes, and compared with the checksums that are in it.
    /// - Throws: `FileError` and what else the file's own reader throws, where it cannot be read at all.
    public init(of location: URL, vocabulary: URL? = nil, hashes wantsHashes: Bool = true) throws {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: location.path, isDirectory: &isFolder), isFolder.boolValue {
            self.init(folder: try ModelFolder(at: location))
            return
        }
        let checkpoint = try Checkpoint(contentsOf: location)
        self.init(checkpoint, location, vocabulary)
        if wantsHashes {
            hashes = try HashCache.shared.hashes(of: location, hasHeader: checkpoint.format == .safetensors)
            do {
                try checkpoint.validateChecksums()
                if kind == .adapter { try Adapter(contentsOf: location).checkParts() }
            } catch let error where !(error is CancellationError) {
                refusal = "\(error)"
            }
        }
    }

    private init(_ checkpoint: Checkpoint, _ location: URL, _ vocabulary: URL?) {
        path = location.path
        format = checkpoint.format.label
        byteCount = checkpoint.byteCount
        metadata = checkpoint.metadata
        if let adapter = AdapterSummary(checkpoint) {
            kind = .adapter
            describe(adapter)
            parts = [Part("adapter", checkpoint, checkpoint.names)]
        } else if checkpoint.names.contains(where: { SingleFile.isPrefixed($0) }) {
            kind = .model
            describeModel(checkpoint, vocabulary)
        } else if let inversion = try? TextualInversion(contentsOf: location) {
            kind = .embedding
            parts = [Part("embeddings", checkpoint, checkpoint.names)]
            let widths = inversion.widths.map { "\($0)" }.joined(separator: " and ")
            remarks.append("\(inversion.count) embeddings of \(widths) numbers")
            if let word = inversion.word { remarks.append("its own word is \(word)") }
        } else {
            let half = TinyAutoencoderNames.half(checkpoint)
            if let half { remarks.append("the \(half.rawValue) of TAESD alone, in its author's layout") }
            let isAutoencoder =
                half != nil || TinyAutoencoderNames.prefixes(checkpoint) != nil
                || checkpoint.names.contains { $0.hasPrefix("decoder.") }
            kind = isAutoencoder ? .autoencoder : .unknown
            parts = [Part(isAutoencoder ? "VAE" : "weights", checkpoint, checkpoint.names)]
            if isAutoencoder {
                // A half of TAESD is looked at with the other one, where it is used.
                if half == nil { refusal = Self.fault(ofAutoencoderAt: location) }
            } else {
                let part = SingleFile.lonePart { start in checkpoint.names.contains { $0.hasPrefix(start) } }
                refusal =
                    part.map { "this is \($0)" }
                    ?? "neither a model, nor an adapter, an embedding or a VAE: the first tensors are "
                    + checkpoint.names.sorted().prefix(3).joined(separator: ", ")
            }
        }
    }

    private init(folder: ModelFolder) {
        path = folder.url.path
        kind = .model
        format = "diffusers' folder"
        var bytes = 0
        for name in folder.components.keys.sorted() {
            guard let checkpoint = try? folder.checkpoint(name) else { continue }
            parts.append(Part(name, checkpoint, checkpoint.names))
            bytes += checkpoint.byteCount
        }
        byteCount = bytes
        remarks.append("made for diffusers' \(folder.pipelineClass)")
        describe(Result { try ModelComponents(folder) })
    }

    /// Why an autoencoder would not decode, or encode where it has a half for that; nil where nothing stands against it.
    private static func fault(ofAutoencoderAt location: URL) -> String? {
        do {
            let component = try ModelComponents.Component(autoencoderAt: location, scalingFactor: 1)
            let autoencoder = try ModelParts.autoencoder(component.configuration)
            let weights = component.weights
            _ = try autoencoder.decoderGraph(batch: 1, height: 8, width: 8, weights: weights)
            guard weights.names.contains(where: { $0.hasPrefix("encoder.") }) else { return nil }
            let size = 8 * autoencoder.factor
            _ = try autoencoder.encoderGraph(batch: 1, height: size, width: size, weights: weights)
            return nil
        } catch {
            return "\(error)"
        }
    }

    private mutating func describe(_ adapter: AdapterSummary) {
        family = adapter.family
        var words = adapter.kinds.joined(separator: ", ")
        if let ranks = adapter.ranks {
            words +=
                ranks.count == 1
                ? " of rank \(ranks.lowerBound)" : " of ranks \(ranks.lowerBound) to \(ranks.upperBound)"
        }
        remarks.append(
            "\(words); changes \(adapter.unetLayers) layers of the U-Net, \(adapter.textEncoderLayers) of the text encoders"
        )
    }

    private mutating func describeModel(_ checkpoint: Checkpoint, _ vocabulary: URL?) {
        let prefixes = [
            ("U-Net", ["model.diffusion_model."]), ("VAE", ["first_stage_model.", "vae."]),
            ("text encoder 2", ["conditioner.embedders.1.", "cond_stage_model.1."]),
            ("text encoder", ["cond_stage_model.", "conditioner.embedders.0."]),
            ("left out: moving averages", ["model_ema."]),
        ]
        var rest = Set(checkpoint.names)
        for (name, prefixes) in prefixes {
            let own = rest.filter { name in prefixes.contains { name.hasPrefix($0) } }
            rest.subtract(own)
            if !own.isEmpty { parts.append(Part(name, checkpoint, Array(own))) }
        }
        if !rest.isEmpty { parts.append(Part("left out: others", checkpoint, Array(rest))) }
        // The second text encoder's prefix may begin as the first one's.
        if let second = parts.firstIndex(where: { $0.name == "text encoder 2" }), second + 1 < parts.count,
            parts[second + 1].name == "text encoder"
        {
            parts.swapAt(second, second + 1)
        }
        describe(
            Result {
                let file = try SingleFile(checkpoint)
                family = file.family.rawValue
                predictionType = file.prediction.rawValue
                return try ModelComponents(file, vocabulary: vocabulary ?? CLIPVocabulary.installed())
            })
    }

    /// Puts a model's parts together, as opening it does, and each network's graph, which names what does not fit.
    private mutating func describe(_ components: Result<ModelComponents, any Error>) {
        do {
            let components = try components.get()
            let parts = try ModelParts(components)
            if let distilled = DistilledName([components.name, components.title]) {
                remarks.append("its name says \(distilled.word): made for \(distilled.settings.summary)")
            }
            family = family ?? parts.family
            predictionType = parts.scheduler.predictionType.rawValue
            let factor = parts.autoencoder.factor
            size = [parts.unet.sampleWidth * factor, parts.unet.sampleHeight * factor]
            switch parts.sight {
            case .maskedPicture: remarks.append("for inpainting: sees a mask and what stays")
            case .picture: remarks.append("edits pictures as the prompt says")
            case .depth: remarks.append("sees how far away things are: --depth-map")
            case nil: break
            }
            if parts.unet.guidanceEncodingWidth != nil {
                remarks.append("distilled with guidance: few steps with the sampler lcm")
            }
            for network in ModelNetwork.allCases
            where network != .secondTextEncoder || parts.textEncoders.count > 1 {
                _ = try network.graph(parts, height: parts.unet.sampleHeight, width: parts.unet.sampleWidth)
            }
        } catch {
            refusal = "\(error)"
        }
    }
}

extension FileInspection.Part {
    fileprivate init(_ name: String, _ checkpoint: Checkpoint, _ names: [String]) {
        self.name = name
        tensors = names.count
        values = names.reduce(0) { $0 + (checkpoint.entry(named: $1)?.shape.checkedCount ?? 0) }
        types = names.reduce(into: [:]) { types, name in
            types[checkpoint.storedType(of: name) ?? "?", default: 0] += 1
        }
    }
}

extension ModelParts {
    /// The family, by the sizes of what the text is told with.
    fileprivate var family: String? {
        if unet.addition != nil {
            return
                (textEncoders.count > 1
                ? SingleFileFamily.stableDiffusionXL : .stableDiffusionXLRefiner).rawValue
        }
        switch unet.contextWidth {
        case 768: return SingleFileFamily.stableDiffusion1.rawValue
        case 1024: return SingleFileFamily.stableDiffusion2.rawValue
        default: return nil
        }
    }
}
