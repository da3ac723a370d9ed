import Foundation
import TensorGraph

/// A small file that changes a model's weights: LoRA (also of convolutions, LoCon), LoHa, LoKr, DoRA or whole
/// differences, in the layouts of kohya, LyCORIS, OneTrainer, ComfyUI, PEFT and diffusers.
public struct Adapter: Sendable {
    /// Its file.
    public let path: String
    /// What its trainer wrote about it.
    public let metadata: [String: String]
    /// Words that were taught beside the model and are in the same file, as OneTrainer bundles them.
    let words: [TextualInversion]
    /// The file's tensors of which it is not known what they are.
    let unknownTensors: [String]
    private let summary: AdapterSummary?
    private let changes: [Layer: [AdapterKey.Part: AdapterTensor]]
    /// What PEFT says of how strongly the matrices are taken, by network; under nil, of all others.
    private let configurations: [AdapterKey.Network?: PEFTConfiguration]

    private struct Layer: Hashable {
        let network: AdapterKey.Network?
        /// Its path with underscores for dots.
        let name: String
    }

    /// The file of an adapter, which of a folder that PEFT or diffusers wrote is the one with its tensors.
    ///
    /// - Throws: ``AdapterError/emptyFolder(path:names:)``.
    public static func file(at url: URL) throws(AdapterError) -> URL {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue
        else {
            return url
        }
        let names = ["adapter_model", "pytorch_lora_weights"].flatMap { ["\($0).safetensors", "\($0).bin"] }
        let files = names.map { url.appending(path: $0) }
        guard let file = files.first(where: { FileManager.default.fileExists(atPath: $0.path) }) else {
            throw .emptyFolder(path: url.path, names: names)
        }
        return file
    }

    /// Reads the whole file; beside a file of PEFT's, its `adapter_config.json` too.
    ///
    /// - Parameter url: A file, or a folder that PEFT or diffusers wrote.
    /// - Throws: ``FileError``, ``SafetensorsError``, ``TorchError``, ``AdapterError``; of PEFT's settings `JSONError` and
    ///   ``ConfigurationError``.
    public init(contentsOf url: URL) throws {
        let url = try Self.file(at: url)
        let checkpoint = try Checkpoint(contentsOf: url)
        let path = checkpoint.origin
        let mapped = try checkpoint.map(additionalBytes: 0)
        var changes: [Layer: [AdapterKey.Part: AdapterTensor]] = [:]
        var bundled = BundledWords()
        var unknownTensors: [String] = []
        for name in checkpoint.names.sorted() {
            guard let entry = checkpoint.entry(named: name), let values = mapped.floats(of: name, entry)
            else {
                continue
            }
            let key = AdapterKey(name)
            if key == nil, !bundled.add(name, entry.shape, values) {
                if let kind = AdapterKey.otherKind(name) {
                    throw AdapterError.unsupported(path: path, kind: kind)
                }
                unknownTensors.append(name)
                continue
            }
            guard values.allSatisfy(\.isFinite) else {
                throw AdapterError.notFinite(path: path, tensor: name)
            }
            guard let key else { continue }
            guard !values.isEmpty else {
                throw AdapterError.incomplete(
                    path: path, layer: key.layer, reason: "\(name.quoted) has no numbers")
            }
            changes[Layer(network: key.network, name: key.layer), default: [:]][key.part] =
                AdapterTensor(path: key.path, shape: entry.shape, values: values)
        }
        try mapped.validate()
        try checkpoint.validateChecksums()
        guard !changes.isEmpty else {
            throw AdapterError.notAnAdapter(path: path, names: checkpoint.names.sorted())
        }
        self.path = path
        metadata = checkpoint.metadata
        summary = AdapterSummary(checkpoint)
        words = bundled.words(path: path)
        self.unknownTensors = unknownTensors
        self.changes = changes
        var configurations = try PEFTConfiguration.all(in: metadata, path: path)
        let settings = url.deletingLastPathComponent().appending(path: PEFTConfiguration.fileName)
        if configurations.isEmpty,
            checkpoint.names.contains(where: { $0.hasPrefix(AdapterKey.prefixOfPEFT) }),
            FileManager.default.fileExists(atPath: settings.path)
        {
            configurations[nil] = try PEFTConfiguration(Configuration(contentsOf: settings))
        }
        self.configurations = configurations
    }

    /// Looks for what keeps it from changing any model: a matrix that is missing where another one is to be multiplied by it,
    /// or has another rank than that.
    ///
    /// - Throws: ``AdapterError/incomplete(path:layer:reason:)``.
    public func checkParts() throws(AdapterError) {
        for (layer, parts) in changes.sorted(by: { $0.key.name < $1.key.name }) {
            try AdapterLayer(file: path, name: layer.name, parts: parts, configuration: nil).checkParts()
        }
    }

    /// What the adapter changes of a model.
    ///
    /// - Parameters:
    ///   - networks: The weights of each network, with other names that its layers are known by.
    ///   - rankLimit: How many of the ranks of LoRA's matrices are used, the first ones, from 1; nil for all. The scale stays
    ///     that of all of them.
    /// - Returns: The updates of each network's weights by their names, and the layers of the adapter that no network has.
    /// - Throws: ``AdapterError`` where it is for another family, no network has any of its layers, or a matrix does not fit
    ///   its weight.
    public func updates(_ networks: AdaptedNetworks, rankLimit: Int? = nil) throws -> AdapterUpdates {
        if let model = networks.family, let other = summary?.otherFamily(than: model) {
            throw AdapterError.otherFamily(
                path: path, family: other.rawValue, model: model.rawValue, layers: [], count: changes.count)
        }
        var updates = AdapterUpdates(unknownTensors: unknownTensors, words: words)
        for (layer, parts) in changes.sorted(by: { $0.key.name < $1.key.name }) {
            let targets = networks.targets(layer.network, layer.name)
            guard !targets.isEmpty else {
                updates.unknownLayers.append(layer.name)
                continue
            }
            let change = AdapterLayer(
                file: path, name: layer.name, parts: parts,
                configuration: configurations[layer.network] ?? configurations[nil], rankLimit: rankLimit)
            // Where the name does not say the network, it is the first one that the matrices fit.
            let (target, kinds) = try Self.first(targets) { ($0, try change.updates(of: $0.shapes)) }
            for (kind, update) in kinds {
                let stored =
                    target.isTransposed ? update.transposed(rows: target.shapes[kind]?[0] ?? 1) : update
                updates.networks[target.network, default: [:]][target.name(ofWeight: kind)] = stored
            }
        }
        // Where the text encoders alone would be changed of what changes a U-Net too, it is another U-Net.
        guard updates.networks[.unet] != nil || !updates.networks.isEmpty && summary?.unetLayers ?? 0 == 0
        else {
            throw AdapterError.otherFamily(
                path: path, family: summary?.family, model: networks.family?.rawValue,
                layers: updates.unknownLayers, count: changes.count)
        }
        return updates
    }

    /// What is made of the first element that it can be made of; where of none, the first one's error.
    private static func first<Element, Result>(
        _ elements: [Element], _ make: (Element) throws -> Result
    ) throws -> Result {
        for element in elements.dropLast() {
            if let result = try? make(element) { return result }
        }
        do {
            return try make(elements[elements.count - 1])
        } catch {
            return try make(elements[0])
        }
    }
}

/// A tensor of an adapter's file.
struct AdapterTensor: Sendable {
    /// The path of the layer that it changes, as the file has it.
    let path: String
    let shape: Shape
    let values: [Float]
}
