import TensorGraph

/// What an adapter changes of a model.
public struct AdapterUpdates: Sendable {
    /// By network and weight.
    var networks: [AdapterKey.Network: [String: AdapterUpdate]] = [:]
    /// The adapter's layers that the model does not have.
    public internal(set) var unknownLayers: [String] = []
    /// The file's tensors of which it is not known what they are.
    public let unknownTensors: [String]
    /// Words that are taught by the same file.
    public let words: [TextualInversion]

    /// Whether there is anything for the U-Net.
    public var changesUNet: Bool { networks[.unet]?.isEmpty == false }

    init(unknownTensors: [String] = [], words: [TextualInversion] = []) {
        self.unknownTensors = unknownTensors
        self.words = words
    }
}

/// The networks of a model that adapters change, and the names by which their layers are known.
public struct AdaptedNetworks: Sendable {
    struct Target {
        let network: AdapterKey.Network
        let layer: String
        /// Of the layer's weights, by their last names.
        let shapes: [String: Shape]
        /// Whether the layer is a matrix alone, without a name of its own and the other way round than a linear layer's:
        /// OpenCLIP's projection.
        var isTransposed = false

        /// - Parameter kind: Its last name.
        func name(ofWeight kind: String) -> String { isTransposed ? layer : "\(layer).\(kind)" }
    }

    /// How OpenCLIP calls the matrix that its pooled embedding is multiplied by.
    private static let projection = "text_projection"

    private var layers: [AdapterKey.Network: [String: Target]] = [:]
    /// The model's family, where it is known.
    let family: BaseFamily?

    /// - Parameters:
    ///   - unet: The U-Net's weights.
    ///   - unetNames: Another program's names for its layers.
    ///   - textEncoders: Their weights.
    ///   - family: The model's; adapters for others are then refused by their notes and layers.
    public init(
        unet: any WeightCatalog, unetNames: ModuleTable, textEncoders: [any WeightCatalog],
        family: BaseFamily? = nil
    ) {
        self.family = family
        layers[.unet] = Self.layers(unet, .unet) { layer in
            let theirs = unetNames.name(of: layer + ".weight").map { String($0.dropLast(".weight".count)) }
            return [layer] + (theirs.map { [$0] } ?? [])
        }
        for (index, encoder) in textEncoders.enumerated() {
            layers[.textEncoder(index)] = Self.layers(encoder, .textEncoder(index)) { layer in
                // transformers 5 leaves the prefix out.
                let short =
                    layer.hasPrefix("text_model.") ? String(layer.dropFirst("text_model.".count)) : layer
                return [short, "text_model." + short]
            }
        }
    }

    /// - Parameter names: All names of a layer.
    private static func layers(
        _ catalog: any WeightCatalog, _ network: AdapterKey.Network, names: (String) -> [String]
    ) -> [String: Target] {
        var shapes: [String: [String: Shape]] = [:]
        for name in catalog.names {
            guard let dot = name.lastIndex(of: "."), let entry = catalog.entry(named: name) else { continue }
            shapes[String(name[..<dot]), default: [:]][String(name[name.index(after: dot)...])] = entry.shape
        }
        var targets: [String: Target] = [:]
        func add(_ target: Target) {
            for name in names(target.layer) {
                targets[name.split(separator: ".").joined(separator: "_")] = target
            }
        }
        for (layer, shapes) in shapes { add(Target(network: network, layer: layer, shapes: shapes)) }
        if let shape = catalog.entry(named: projection)?.shape, shape.rank == 2 {
            let shapes = ["weight": Shape([shape[1], shape[0]])]
            add(Target(network: network, layer: projection, shapes: shapes, isTransposed: true))
        }
        return targets
    }

    /// The layer of a name, in its network or, where none is said, in each that has it.
    func targets(_ network: AdapterKey.Network?, _ layer: String) -> [Target] {
        let networks = network.map { [$0] } ?? [.unet, .textEncoder(0), .textEncoder(1)]
        return networks.compactMap { layers[$0]?[layer] }
    }
}
