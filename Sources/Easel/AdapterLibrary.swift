import Checkpoints
import Foundation
import Networks
import Synchronization

/// The adapters that a model was last asked to take, as they fit its layers: what is asked for again is not read again.
final class AdapterLibrary: Sendable {
    private let networks: AdaptedNetworks
    /// Where the U-Net's weights are from, and whether they are integers, which nothing can be added to.
    private let origin: String
    private let isQuantized: Bool
    private let known: Mutex<[Part: AdapterUpdates]> = Mutex([:])

    /// A file, and how much of it.
    private struct Part: Hashable {
        let file: LoadedFile
        let rankLimit: Int?
    }

    init(_ parts: ModelParts) {
        (origin, isQuantized) = (parts.unetWeights.origin, parts.unetWeights.isQuantized)
        networks = AdaptedNetworks(
            unet: parts.unetWeights,
            unetNames: CompVisUNetNames(describing: parts.unetWeights).table.inverted,
            textEncoders: parts.textEncoders.map(\.weights), family: SingleFileFamily(parts).base)
    }

    /// The adapters, in order; those of weight 0 are left out.
    ///
    /// - Throws: `FileError`, `SafetensorsError`, `TorchError`, `AdapterError`; ``ModelError`` where the U-Net's weights are
    ///   integers and would be changed.
    func load(_ loras: [LoRA]) throws -> [LoadedAdapter] {
        let before = known.withLock { $0 }
        let loaded = try loras.compactMap { lora throws -> LoadedAdapter? in
            let textWeight = lora.textEncoderWeight ?? lora.weight
            guard lora.weight != 0 || textWeight != 0 else { return nil }
            let url = try Adapter.file(at: URL(filePath: lora.path))
            let file = LoadedFile(url.path)
            let updates =
                try before[Part(file: file, rankLimit: lora.rankLimit)]
                ?? Adapter(contentsOf: url).updates(networks, rankLimit: lora.rankLimit)
            if isQuantized, lora.weight != 0, updates.changesUNet {
                throw ModelError(
                    model: origin,
                    reason:
                        "its U-Net is of integers, which \(url.path) cannot be added to; take the model that it was made "
                        + "of, with the precision int8 if you like")
            }
            return LoadedAdapter(
                use: .init(
                    file: file, weight: lora.weight, textEncoderWeight: textWeight, rankLimit: lora.rankLimit),
                updates: updates)
        }
        known.withLock { known in
            known = Dictionary(
                loaded.map { (Part(file: $0.use.file, rankLimit: $0.use.rankLimit), $0.updates) }
            ) { first, _ in first }
        }
        return loaded
    }
}

/// An adapter as it fits a model, and how strongly it is taken.
struct LoadedAdapter: Sendable {
    struct Use: Hashable, Sendable {
        let file: LoadedFile
        let weight: Float
        let textEncoderWeight: Float
        let rankLimit: Int?
    }

    let use: Use
    let updates: AdapterUpdates
}

extension SingleFileFamily {
    /// As adapters know it.
    fileprivate var base: BaseFamily {
        switch self {
        case .stableDiffusion1: .stableDiffusion1
        case .stableDiffusion2: .stableDiffusion2
        case .stableDiffusionXL: .stableDiffusionXL
        case .stableDiffusionXLRefiner: .stableDiffusionXLRefiner
        }
    }
}

extension WeightStorage {
    /// The U-Net's weights with adapters.
    func adapted(_ adapters: [LoadedAdapter]) -> any WeightStorage {
        if adapters.isEmpty { return self }
        return AdaptedWeights(unet: self, adapters: adapters.map { ($0.updates, $0.use.weight) })
    }

    /// A text encoder's weights with adapters.
    func adapted(_ adapters: [LoadedAdapter], textEncoder index: Int) -> any WeightStorage {
        if adapters.isEmpty { return self }
        return AdaptedWeights(
            textEncoder: self, index: index, adapters: adapters.map { ($0.updates, $0.use.textEncoderWeight) }
        )
    }
}
