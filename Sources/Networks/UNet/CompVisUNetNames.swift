import Checkpoints
import TensorGraph

/// The names that CompVis' program gives a U-Net's weights: its blocks are numbered through, `input_blocks.0.0` to
/// `output_blocks.11.2`, where here they are levels with layers.
///
/// The file's own names say how many levels there are, and which of them attend to the text:
/// `ldm/modules/diffusionmodules/openaimodel.py`.
public struct CompVisUNetNames: Sendable {
    /// The prefix of the U-Net's weights in a whole model's file.
    public static let prefix = "model.diffusion_model."

    public let table: ModuleTable

    private static let resNet: ModuleTable.Layers = [
        "in_layers.0": "norm1", "in_layers.2": "conv1", "emb_layers.1": "time_emb_proj",
        "out_layers.0": "norm2",
        "out_layers.3": "conv2", "skip_connection": "conv_shortcut",
    ]

    /// Whether names, without the prefix, are those of such a U-Net.
    public static func fits(_ catalog: any WeightCatalog) -> Bool {
        catalog.entry(named: "input_blocks.0.0.weight") != nil
    }

    /// The table for a U-Net whose weights have diffusers' names.
    public init(describing catalog: any WeightCatalog) {
        let modules = Modules(catalog)
        var table = Self.ends
        let levels = modules.count("down_blocks")
        var number = 1
        for level in 0..<levels {
            for layer in 0..<modules.count("down_blocks.\(level).resnets") {
                table.add(
                    "input_blocks.\(number).0", "down_blocks.\(level).resnets.\(layer)", layers: Self.resNet)
                table.add("input_blocks.\(number).1", "down_blocks.\(level).attentions.\(layer)")
                number += 1
            }
            guard modules.has("down_blocks.\(level).downsamplers.0.conv") else { continue }
            table.add("input_blocks.\(number).0.op", "down_blocks.\(level).downsamplers.0.conv")
            number += 1
        }
        let attentions = modules.count("mid_block.attentions")
        table.add("middle_block.0", "mid_block.resnets.0", layers: Self.resNet)
        for index in 0..<attentions {
            table.add("middle_block.\(index + 1)", "mid_block.attentions.\(index)")
        }
        if modules.has("mid_block.resnets.1") {
            table.add("middle_block.\(attentions + 1)", "mid_block.resnets.1", layers: Self.resNet)
        }
        number = 0
        for level in 0..<levels {
            let layers = modules.count("up_blocks.\(level).resnets")
            for layer in 0..<layers {
                table.add(
                    "output_blocks.\(number).0", "up_blocks.\(level).resnets.\(layer)", layers: Self.resNet)
                let attends = modules.has("up_blocks.\(level).attentions.\(layer)")
                if attends {
                    table.add("output_blocks.\(number).1", "up_blocks.\(level).attentions.\(layer)")
                }
                if layer == layers - 1, modules.has("up_blocks.\(level).upsamplers.0.conv") {
                    table.add(
                        "output_blocks.\(number).\(attends ? 2 : 1).conv",
                        "up_blocks.\(level).upsamplers.0.conv")
                }
                number += 1
            }
        }
        self.table = table
    }

    /// What there is before and behind the blocks.
    private static let ends: ModuleTable = {
        var table = ModuleTable()
        for (theirs, ours) in [
            ("time_embed.0", "time_embedding.linear_1"), ("time_embed.2", "time_embedding.linear_2"),
            ("time_embed.cond_proj", "time_embedding.cond_proj"),
            ("label_emb.0.0", "add_embedding.linear_1"), ("label_emb.0.2", "add_embedding.linear_2"),
            ("input_blocks.0.0", "conv_in"), ("out.0", "conv_norm_out"), ("out.2", "conv_out"),
        ] { table.add(theirs, ours) }
        return table
    }()

    /// - Parameter catalog: The U-Net's weights, without the prefix.
    public init(_ catalog: any WeightCatalog) {
        var table = Self.ends
        let modules = Modules(catalog)
        var (level, layer) = (0, 0)
        for block in 1..<max(modules.count("input_blocks"), 1) {
            let theirs = "input_blocks.\(block)"
            if modules.has("\(theirs).0.op") {
                table.add("\(theirs).0.op", "down_blocks.\(level).downsamplers.0.conv")
                (level, layer) = (level + 1, 0)
                continue
            }
            table.add("\(theirs).0", "down_blocks.\(level).resnets.\(layer)", layers: Self.resNet)
            table.add("\(theirs).1", "down_blocks.\(level).attentions.\(layer)")
            layer += 1
        }

        var (resNets, attentions) = (0, 0)
        for place in 0..<modules.count("middle_block") {
            let theirs = "middle_block.\(place)"
            if modules.has("\(theirs).in_layers") {
                table.add(theirs, "mid_block.resnets.\(resNets)", layers: Self.resNet)
                resNets += 1
            } else {
                table.add(theirs, "mid_block.attentions.\(attentions)")
                attentions += 1
            }
        }

        (level, layer) = (0, 0)
        for block in 0..<modules.count("output_blocks") {
            let theirs = "output_blocks.\(block)"
            table.add("\(theirs).0", "up_blocks.\(level).resnets.\(layer)", layers: Self.resNet)
            // Behind the last layer of a level, with or without attention, is what makes it larger.
            let upsampler = (1...2).first { modules.has("\(theirs).\($0).conv") }
            if upsampler != 1 { table.add("\(theirs).1", "up_blocks.\(level).attentions.\(layer)") }
            layer += 1
            if let upsampler {
                table.add("\(theirs).\(upsampler).conv", "up_blocks.\(level).upsamplers.0.conv")
                (level, layer) = (level + 1, 0)
            }
        }
        self.table = table
    }
}
