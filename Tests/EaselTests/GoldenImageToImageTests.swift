import Checkpoints
import Easel
import Foundation
import Imaging
import Testing

private struct GoldenCases: Decodable {
    struct Case: Decodable {
        let kind: String
        let sampler: String
        let strength: Double
        let steps: Int
        let seed: UInt64
        let guidanceScale: Float
    }

    let prompt: String
    let negativePrompt: String
    let cases: [Case]
}

@Suite("Pictures made of pictures are diffusers'")
struct GoldenImageToImageTests {
    private static let folder = TinyModel.golden.appending(path: "pipelines")

    /// tiny-sd1 with a U-Net that sees a mask and a picture.
    private static func inpaintingModel(_ golden: Checkpoint) throws -> ModelCopy {
        let copy = try ModelCopy(of: .sd1)
        try copy.set("unet/config.json", ["in_channels": 9])
        let bytes = try GoldenPipelineTests.bytes("conv_in.weight", in: golden)
        let shape = try #require(golden.entry(named: "conv_in.weight")).shape.dimensions
        try copy.rewrite(unetWeights) { header, values in
            // At the end, and the former bytes taken out, since a file has no gaps.
            let old = try #require(header["conv_in.weight"] as? [String: Any])
            let range = try #require(old["data_offsets"] as? [Int])
            let removed = range[1] - range[0]
            for (name, entry) in header {
                guard var entry = entry as? [String: Any], let place = entry["data_offsets"] as? [Int],
                    place[0] >= range[1]
                else { continue }
                entry["data_offsets"] = place.map { $0 - removed }
                header[name] = entry
            }
            values.removeSubrange(values.startIndex + range[0]..<values.startIndex + range[1])
            header["conv_in.weight"] = [
                "dtype": "F32", "shape": shape, "data_offsets": [values.count, values.count + bytes.count],
            ]
            values.append(contentsOf: bytes)
        }
        return copy
    }

    @Test func everyCase() async throws {
        let golden = try Checkpoint(contentsOf: Self.folder.appending(path: "image-to-image.safetensors"))
        let wanted = try JSONDecoder().decode(
            GoldenCases.self, from: Data(contentsOf: Self.folder.appending(path: "image-to-image.json")))
        #expect(wanted.cases.count == 29)
        let picture = Image(
            width: 64, height: 64, pixels: try GoldenPipelineTests.bytes("picture", in: golden))
        let mask = Mask(width: 64, height: 64, values: try GoldenPipelineTests.bytes("mask", in: golden))
        let ordinary = try TinyModel.sd1.opened()
        let copy = try Self.inpaintingModel(golden)
        let inpainting = try openModel(at: copy.folder)
        for (index, one) in wanted.cases.enumerated() {
            var request = Request(
                prompt: wanted.prompt, negativePrompt: wanted.negativePrompt, steps: one.steps,
                guidanceScale: one.guidanceScale, seed: one.seed, sampler: one.sampler)
            request.initImage = picture
            request.strength = one.strength
            if one.kind != "img2img" { request.inpainting = Inpainting(mask: mask) }
            let model = one.kind == "inpaint9" ? inpainting : ordinary
            let made = try await model.picture(request)
            let expected = try GoldenPipelineTests.floats("\(index).latents", in: golden)
            let difference = largestDifference(expected, made.latents.values)
            #expect(difference <= 2e-3, "\(one): latents differ by \(difference)")
        }
        withExtendedLifetime(copy) {}
    }
}
