import Checkpoints
import Foundation
import Networks
import TensorGraph

/// A small model's weights, with a layer of each kind.
private struct Base {
    let unet: Checkpoint
    let textEncoder: Checkpoint
    let networks: AdaptedNetworks

    init() throws {
        let unet = """
            conv_in.weight 8,4,3,3
            conv_in.bias 8
            down_blocks.0.resnets.0.conv1.weight 8,8,3,3 F16
            down_blocks.0.attentions.0.proj_in.weight 8,8,1,1
            down_blocks.0.attentions.0.norm.weight 8
            down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight 8,8 BF16
            down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight 8,6
            """
        let textEncoder = """
            text_model.encoder.layers.0.self_attn.q_proj.weight 6,6
            text_model.encoder.layers.0.self_attn.q_proj.bias 6
            """
        guard let first = try DescribedFile(Array(unet.utf8), name: "unet"),
            let second = try DescribedFile(Array(textEncoder.utf8), name: "text")
        else { throw Broken(description: "no model") }
        self.unet = try Checkpoint(contentsOf: first.url)
        self.textEncoder = try Checkpoint(contentsOf: second.url)
        networks = AdaptedNetworks(
            unet: self.unet, unetNames: CompVisUNetNames(describing: self.unet).table.inverted,
            textEncoders: [self.textEncoder])
    }
}

private let base = Result { try Base() }

/// An adapter that is read changes weights to numbers, as many as there were; at 0 it changes nothing.
func checkAdapter(_ bytes: [UInt8]) throws(Broken) {
    guard case .success(let base) = base else { throw Broken(description: "no model: \(base)") }
    guard let file = try DescribedFile(bytes, name: "adapter") else { return }
    let updates: AdapterUpdates
    do {
        let adapter = try Adapter(contentsOf: file.url)
        updates = try adapter.updates(base.networks)
    } catch {
        return try require(!"\(error)".isEmpty, "refused without a reason")
    }
    do {
        for strength: Float in [0, 0.5] {
            for adapted in [
                AdaptedWeights(unet: base.unet, adapters: [(updates, strength)]),
                AdaptedWeights(textEncoder: base.textEncoder, index: 0, adapters: [(updates, strength)]),
            ] {
                try require(strength != 0 || adapted.changedCount == 0, "changed at 0")
                guard adapted.changedCount > 0 else { continue }
                let mapped = try adapted.map(additionalBytes: 0)
                for name in adapted.names {
                    let entry = adapted.entry(named: name)
                    let values = entry.flatMap { mapped.floats(of: name, $0) }
                    try require(values?.count == entry?.shape.checkedCount, "\(name) has lost numbers")
                }
            }
        }
    } catch let broken as Broken {
        throw broken
    } catch {
        throw Broken(description: "not applied: \(error)")
    }
}

/// The embeddings of a word that are read are as many and as wide as the file says.
func checkInversion(_ bytes: [UInt8]) throws(Broken) {
    guard let file = try DescribedFile(bytes, name: "inversion") else { return }
    let inversion: TextualInversion
    do { inversion = try TextualInversion(contentsOf: file.url) } catch {
        return try require(!"\(error)".isEmpty, "refused without a reason")
    }
    for widths in [inversion.widths, Array(inversion.widths.reversed()), [768], [768, 1280]] {
        guard let embeddings = try? inversion.embeddings(widths: widths) else { continue }
        try require(
            embeddings.map(\.count) == widths.map { $0 * inversion.count }, "other embeddings: \(widths)")
    }
}
