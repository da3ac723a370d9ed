import Checkpoints
import Easel
import Foundation
import Testing

@Suite("What a file of weights is")
struct InspectionTests {
    private let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    private func inspection(
        _ family: String, adding: [String: [Int]] = [:], leavingOut: (String) -> Bool = { _ in false }
    ) throws -> FileInspection {
        let file = folder.url.appending(path: "file.anything")
        try TinyFamily(family).write(to: file, adding: adding, leavingOut: leavingOut)
        return try FileInspection(of: file, vocabulary: TinyFamily.vocabulary)
    }

    @Test(arguments: [
        ("sd1", "Stable Diffusion 1", "epsilon", ""),
        ("sd1-inpainting", "Stable Diffusion 1", "epsilon", "inpainting"),
        ("sd1-editing", "Stable Diffusion 1", "epsilon", "edits pictures"),
        ("sd1-lcm", "Stable Diffusion 1", "epsilon", "distilled with guidance"),
        ("sd2-velocity", "Stable Diffusion 2", "v_prediction", ""),
        ("sd2-depth", "Stable Diffusion 2", "epsilon", "how far away"),
        ("xl", "Stable Diffusion XL", "epsilon", ""),
        ("xl-refiner", "Stable Diffusion XL Refiner", "epsilon", ""),
    ])
    func modelsInOneFile(_ name: String, _ family: String, _ prediction: String, _ remark: String) throws {
        let inspection = try inspection(name)
        #expect(inspection.kind == .model && inspection.format == "safetensors")
        #expect(inspection.family == family && inspection.predictionType == prediction)
        #expect(inspection.refusal == nil)
        let remarks = inspection.remarks.joined()
        #expect(remark.isEmpty ? remarks.isEmpty : remarks.contains(remark))
        #expect(inspection.parts.map(\.name).prefix(3) == ["U-Net", "VAE", "text encoder"])
        #expect(inspection.parts[0].types.keys.sorted() == ["F32"])
        let hashes = try #require(inspection.hashes)
        #expect(hashes.sha256.count == 64 && hashes.valuesSHA256 != nil)
    }

    @Test func whatIsRefusedSaysWhy() throws {
        let missing = "model.diffusion_model.middle_block.1.norm.weight"
        let damaged = try inspection("sd1", leavingOut: { $0 == missing })
        #expect(damaged.kind == .model)
        // By the name that the file would have for it.
        #expect(try #require(damaged.refusal).contains("\(missing): missing, expected shape [64]"))
        let other = try inspection("sd1", adding: ["model.diffusion_model.double_blocks.0.x": [1]])
        #expect(try #require(other.refusal).contains("Flux"))
        let part = try inspection("sd1", leavingOut: { $0.hasPrefix("model.diffusion_model.") })
        #expect(try #require(part.refusal).contains("no U-Net"))
        let unknown = folder.url.appending(path: "unknown.safetensors")
        try TinyFile(tensors: ["a": [3], "b": [2]], constants: [:]).write(to: unknown)
        let inspection = try FileInspection(of: unknown)
        #expect(inspection.kind == .unknown && inspection.refusal != nil)
    }

    @Test func smallFiles() throws {
        let lora = folder.url.appending(path: "lora.safetensors")
        try TinyAdapter("kohya-xl").write(to: lora)
        let adapter = try FileInspection(of: lora, hashes: false)
        #expect(adapter.kind == .adapter && adapter.hashes == nil)
        #expect(adapter.remarks[0].contains("LoRA of rank 4"))
        #expect(try FileInspection(of: lora).refusal == nil)
        let layer = "lora_unet_mid_block_attentions_0_proj_in"
        let damaged = folder.url.appending(path: "damaged.safetensors")
        try TinyFile(
            tensors: ["\(layer).lora_down.weight": [4, 64], "\(layer).lora_up.weight": [64, 4]],
            constants: ["\(layer).alpha": .nan]
        ).write(to: damaged)
        let refused = try FileInspection(of: damaged)
        #expect(refused.kind == .adapter)
        #expect(try #require(refused.refusal).contains("alpha\" has a number that is not finite"))
        let word = TinyModel.golden.appending(path: "inversions/sketch.pt")
        let embedding = try FileInspection(of: word)
        #expect(embedding.kind == .embedding && embedding.metadata["name"] == "sketch")
        #expect(embedding.remarks == ["3 embeddings of 64 numbers", "its own word is sketch"])
    }

    /// A file of which a bit was changed since it was saved.
    @Test func checksumsAreComparedWhereTheWholeFileIsRead() throws {
        let file = folder.url.appending(path: "a.ckpt")
        let family = try TinyFamily("sd1")
        try TinyFile(tensors: family.tensors, constants: [:]).writeTorch(to: file)
        let whole = try FileInspection(of: file, vocabulary: TinyFamily.vocabulary)
        #expect(whole.refusal == nil)
        var bytes = try Data(contentsOf: file)
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: file)
        let damaged = try FileInspection(of: file, vocabulary: TinyFamily.vocabulary)
        #expect(damaged.kind == .model)
        #expect(try #require(damaged.refusal).contains("has other bytes than were saved"))
        #expect(
            try FileInspection(of: file, vocabulary: TinyFamily.vocabulary, hashes: false).refusal == nil)
        let conversion = try ModelConversion(of: file, vocabulary: TinyFamily.vocabulary)
        #expect(throws: TorchError.self) { try conversion.damage() }
    }

    @Test func folders() throws {
        let inspection = try FileInspection(of: TinyModel.sd2.folder)
        #expect(inspection.kind == .model && inspection.refusal == nil)
        #expect(inspection.parts.map(\.name) == ["text_encoder", "unet", "vae"])
        #expect(inspection.byteCount > 100_000)
    }
}
