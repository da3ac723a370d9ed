import TensorGraph
import Testing

@testable import Networks

@Suite("Layers that int8 is for")
struct QuantizedLayersTests {
    private func weights(_ layers: [String: Shape]) -> NamesOnly {
        NamesOnly(
            Dictionary(
                uniqueKeysWithValues: layers.map {
                    ("\($0.key).weight", WeightEntry(shape: $0.value, elementType: .float16))
                }))
    }

    @Test func sensitiveLayersOfTheUNetAreNotAmongThem() {
        let (matrix, kernel): (Shape, Shape) = ([8, 8], [8, 8, 3, 3])
        let block = "transformer_blocks.0"
        let quantized = [
            "down_blocks.0.resnets.0.conv1": kernel, "down_blocks.0.resnets.0.conv_shortcut": [8, 8, 1, 1],
            "down_blocks.0.attentions.0.\(block).attn1.to_out.0": matrix,
            "down_blocks.0.attentions.0.\(block).ff.net.2": matrix, "mid_block.attentions.0.proj_in": matrix,
            "up_blocks.0.upsamplers.0.conv": kernel, "up_blocks.0.resnets.0.conv_shortcut": [8, 8, 1, 1],
            "up_blocks.9.attentions.0.\(block).ff.net.2": matrix, "up_blocks.9.attentions.0.proj_out": matrix,
            "up_blocks.10.resnets.0.conv2": kernel, "up_blocks.10.attentions.0.\(block).attn1.to_q": matrix,
            "up_blocks.10.attentions.0.\(block).ff.net.0.proj": matrix,
        ]
        let left = [
            "conv_in": kernel, "conv_out": kernel, "time_embedding.linear_1": matrix,
            "down_blocks.0.resnets.0.time_emb_proj": matrix,
            "down_blocks.0.attentions.0.\(block).attn2.to_k": matrix,
            "up_blocks.0.attentions.0.\(block).attn2.to_v": matrix,
            // What attention adds on the way up, and what leads to the last level's sums: level 10 comes after level 9.
            "up_blocks.0.attentions.0.\(block).attn1.to_out.0": matrix,
            "up_blocks.10.attentions.0.\(block).attn2.to_out.0": matrix,
            "up_blocks.10.attentions.0.\(block).ff.net.2": matrix,
            "up_blocks.10.attentions.0.proj_in": matrix,
            "up_blocks.10.attentions.0.proj_out": matrix,
            "up_blocks.10.resnets.0.conv_shortcut": [8, 8, 1, 1],
        ]
        // A norm's scale has one axis.
        let norms: [String: Shape] = ["up_blocks.0.resnets.0.norm1": [8]]
        let all = quantized.merging(left) { $1 }.merging(norms) { $1 }
        #expect(UNet.quantizedLayers(of: weights(all)) == Set(quantized.keys))
    }
}
