import Checkpoints
import Easel
import Foundation
import OpenVINOEngine
import Testing

@Suite("An adapter for another family is refused with both families' names")
struct AdapterFamilyTests {
    private let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    /// - Returns: The picture's latents without the adapter and with it.
    private func latents(
        _ model: String, _ tensors: [String: [Int]], _ notes: [String: String] = [:]
    ) async throws -> ([Float], () async throws -> [Float]) {
        let (weights, file) = (folder.url.appending(path: "model"), folder.url.appending(path: "lora"))
        try TinyFamily(model).write(to: weights)
        let metadata = String(decoding: try JSONEncoder().encode(notes), as: UTF8.self)
        try TinyFile(tensors: tensors, constants: [:]).write(to: file, metadata: metadata)
        let opened = try Model(
            at: weights, engine: OpenVINOEngine(threads: 1), precision: .float32,
            vocabulary: TinyFamily.vocabulary)
        var request = try TinyFamily(model).requests[0].request
        request.steps = 1
        let before = try await opened.picture(request).latents.values
        request.loras = [LoRA(path: file.path)]
        return (before, { [request] in try await opened.picture(request).latents.values })
    }

    private static func lora(_ layers: [String: (outputs: Int, inputs: Int)]) -> [String: [Int]] {
        var tensors: [String: [Int]] = [:]
        for (layer, size) in layers {
            tensors[layer + ".lora_down.weight"] = [4, size.inputs]
            tensors[layer + ".lora_up.weight"] = [size.outputs, 4]
        }
        return tensors
    }

    /// Layers of the first text encoder, which fit the tiny models.
    private static let text = ["lora_te1_text_model_encoder_layers_0_mlp_fc1": (outputs: 128, inputs: 64)]
    private static let attention = "transformer_blocks_0_attn2_to_k"

    @Test(
        arguments: [
            // Notes tell, and one layer fits.
            (
                "sd1", ["lora_unet_input_blocks_4_1_\(attention)": (640, 64)],
                ["ss_base_model_version": "sdxl_base_v1-0"], "Stable Diffusion XL", "Stable Diffusion 1"
            ),
            (
                "xl", ["lora_unet_down_blocks_0_attentions_0_\(attention)": (32, 64)],
                ["modelspec.architecture": "stable-diffusion-v1/lora"], "Stable Diffusion 1",
                "Stable Diffusion XL"
            ),
            (
                "sd1", [:], ["ss_base_model_version": "sd_v2_v"], "Stable Diffusion 2", "Stable Diffusion 1"
            ),
            // So do the layers' widths and names.
            (
                "sd1", ["lora_unet_input_blocks_4_1_\(attention)": (640, 2048)], [:], "Stable Diffusion XL",
                "Stable Diffusion 1"
            ),
            (
                "xl", ["lora_unet_down_blocks_0_attentions_0_proj_in": (320, 320)], [:],
                "Stable Diffusion 1 or 2", "Stable Diffusion XL"
            ),
            (
                "sd2", ["unet.down_blocks.1.attentions.0.transformer_blocks.1.attn1.to_q": (640, 640)], [:],
                "Stable Diffusion XL", "Stable Diffusion 2"
            ),
            (
                "sd1", ["lora_unet_double_blocks_0_img_attn_proj": (3072, 3072)], [:], "Flux",
                "Stable Diffusion 1"
            ),
            (
                "xl", ["transformer.single_transformer_blocks.0.attn.to_q": (3072, 3072)], [:], "Flux",
                "Stable Diffusion XL"
            ),
            (
                "sd1", ["lora_unet_joint_blocks_0_x_block_attn_proj": (1536, 1536)], [:],
                "Stable Diffusion 3", "Stable Diffusion 1"
            ),
            (
                "sd1", ["transformer.transformer_blocks.0.attn.to_q": (1536, 1536)], [:],
                "Stable Diffusion 3", "Stable Diffusion 1"
            ),
            // Where nothing else tells, a model that has none of the U-Net's layers is another one.
            ("sd1", ["lora_unet_something": (8, 8)], [:], nil, "Stable Diffusion 1"),
        ] as [(String, [String: (Int, Int)], [String: String], String?, String)])
    func bothAreNamed(
        _ model: String, _ layers: [String: (Int, Int)], _ notes: [String: String], _ family: String?,
        _ wanted: String
    ) async throws {
        let tensors = Self.lora(Self.text.merging(layers.mapValues { ($0.0, $0.1) }) { $1 })
        let (_, adapted) = try await latents(model, tensors, notes)
        let error = await #expect(throws: AdapterError.self) { try await adapted() }
        let unknown = family == nil ? ["something"] : []
        let count = layers.count + Self.text.count
        guard case .otherFamily(_, family, wanted, unknown, count)? = error else {
            Issue.record("\(error.map(\.description) ?? "nothing")")
            return
        }
    }

    @Test(
        arguments: [
            // No notes; a text encoder's layers alone; notes of the base model of an inpainting and a distilled one.
            ("sd1", [:], [:]),
            ("sd1", ["lora_unet_down_blocks_0_attentions_0_\(attention)": (32, 64)], [:]),
            (
                "sd1-inpainting", ["lora_unet_down_blocks_0_attentions_0_\(attention)": (32, 64)],
                ["ss_base_model_version": "sd_v1"]
            ),
            ("sd1-distilled", [:], ["modelspec.architecture": "stable-diffusion-v1/lora"]),
            // Layers that the model's smaller network lacks.
            (
                "sd1",
                [
                    "lora_unet_down_blocks_0_attentions_0_\(attention)": (32, 64),
                    "lora_unet_down_blocks_3_resnets_0_conv1": (8, 8),
                ], ["ss_base_model_version": "sd_v1"]
            ),
            // Notes that name no family.
            ("sd1", [:], ["ss_base_model_version": "my own"]),
        ] as [(String, [String: (Int, Int)], [String: String])])
    func honestOnesAreTaken(
        _ model: String, _ layers: [String: (Int, Int)], _ notes: [String: String]
    ) async throws {
        let tensors = Self.lora(Self.text.merging(layers.mapValues { ($0.0, $0.1) }) { $1 })
        let (before, adapted) = try await latents(model, tensors, notes)
        #expect(largestDifference(try await adapted(), before) > 0)
    }
}
