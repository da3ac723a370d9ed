import Foundation
import Imaging
import OpenVINOEngine
import Sampling
import Testing

@testable import Easel

@Suite("Fewer operations, nearly the same picture")
struct SpeedPresetTests {
    @Test(arguments: [
        "a red apple on a yellow background", "a panda on a blue background", "a lemon on a red background",
    ])
    func fastPicturesAreNearlyTheSame(_ prompt: String) async throws {
        let model = try openModel(at: demoModel)
        let exact = try await model.picture(Request(prompt: prompt, seed: 5))
        var request = Request(prompt: prompt, seed: 5)
        request.apply(.fast)
        let fast = try await model.picture(request)
        #expect(fast.image != exact.image)
        let likeness = similarity(fast.image, exact.image)
        #expect(likeness >= 0.9, "SSIM \(likeness)")
        // What is measured can tell pictures apart.
        request.prompt = "a cat on a green background"
        #expect(similarity(try await model.picture(request).image, exact.image) < 0.9)
    }

    @Test func aSmallDecoderMakesNearlyTheSamePicture() async throws {
        let model = try openModel(at: demoModel)
        let small = try Model(
            at: demoModel, engine: OpenVINOEngine(), precision: .float32,
            vae: demoModel.appending(path: "taesd_decoder.safetensors"))
        var request = Request(prompt: "a red apple on a yellow background", steps: 12, seed: 5)
        let exact = try await model.picture(request)
        let fast = try await small.picture(request)
        #expect(fast.latents == exact.latents && fast.image != exact.image)
        let likeness = similarity(fast.image, exact.image)
        #expect(likeness >= 0.8, "SSIM \(likeness)")
        request.prompt = "a cat on a green background"
        #expect(similarity(try await small.picture(request).image, exact.image) < 0.8)
    }

    @Test func explicitSettingsFollowThePreset() throws {
        var request = Request(prompt: "", steps: 40, sampler: "euler")
        request.sigmas = [10, 1, 0]
        request.apply(.fast)
        #expect(request.steps == 12 && request.sampler == "dpmpp-2m" && request.sigmas == nil)
        #expect(request.deepCache == DeepCache(interval: 3))
        request.apply(SpeedPreset(steps: 9))
        #expect(request.steps == 9 && request.sampler == "dpmpp-2m" && request.deepCache == nil)
    }

    @Test func mergedCellsMakeNearlyTheSamePicture() async throws {
        let model = try openModel(at: demoModel)
        var request = Request(prompt: "a red apple on a yellow background", steps: 10, seed: 5)
        let exact = try await model.picture(request)
        request.tokenMergingRatio = 1e-9
        #expect(try await model.picture(request).latents == exact.latents)
        request.tokenMergingRatio = 0.3
        let merged = try await model.picture(request)
        #expect(merged.image != exact.image)
        let likeness = similarity(merged.image, exact.image)
        #expect(likeness >= 0.8, "SSIM \(likeness)")
        #expect(merged.metadata.parameters.contains("Token merging ratio: 0.3"))
        let record = try Request(GenerationRecord(json: merged.record.json))
        #expect(record.tokenMergingRatio == 0.3)
        #expect(try await model.picture(record).latents == merged.latents)
    }

    @Test func mergingGoesWithTheRest() async throws {
        for name in ["sd1", "xl"] {
            let folder = try ScratchFolder()
            let file = folder.url.appending(path: "model.safetensors")
            let family = try TinyFamily(name)
            try family.write(to: file)
            let model = try Model(
                at: file, engine: OpenVINOEngine(threads: 1), precision: .float32,
                vocabulary: TinyFamily.vocabulary)
            var request = family.request()
            let plain = try await model.picture(request)
            request.tokenMergingRatio = 0.5
            let merged = try await model.picture(request)
            #expect(merged.latents != plain.latents, "\(name)")
            (request.deepCache, request.perturbedAttentionScale) = (DeepCache(interval: 2), 2)
            (request.count, request.batchSize) = (2, 2)
            let pictures = try await model.pictures(request)
            (request.seed, request.count) = (pictures[1].seed, 1)
            #expect(try await model.picture(request).latents == pictures[1].latents, "\(name)")
        }
    }

    @Test(arguments: [-0.1, 0.76, 1.5, .nan, .infinity]) func ratiosOutOfRangeAreRefused(_ ratio: Double)
        async throws
    {
        let model = try TinyModel.sd1.opened()
        var request = Request.quick()
        request.tokenMergingRatio = ratio
        let wanted = RequestError.outOfRange(
            field: "token merging ratio", value: "\(ratio)", range: "from 0.0 to 0.75")
        await #expect(throws: wanted) { try await model.picture(request) }
    }

    @Test func anotherProgramsMergingIsTaken() throws {
        for (written, ratio) in [("0.5", 0.5), ("0.9", 0.75), ("nan", 0), ("-1", 0)] {
            let text = """
                a cat
                Steps: 2, Sampler: Euler, CFG scale: 5, Seed: 1, Size: 64x64, Token merging ratio: \(written)
                """
            let metadata = try #require(GenerationMetadata(parameters: text))
            #expect(try Request(metadata).tokenMergingRatio == ratio)
        }
    }
}

/// Wang et al. 2004: the structural similarity of luminance, with a Gaussian window of 1.5 pixels.
private func similarity(_ first: Image, _ second: Image) -> Double {
    let (width, height) = (first.width, first.height)
    func light(_ image: Image) -> [Double] {
        (0..<width * height).map { pixel in
            let (red, green, blue) = (
                image.pixels[3 * pixel], image.pixels[3 * pixel + 1], image.pixels[3 * pixel + 2]
            )
            return 0.299 * Double(red) + 0.587 * Double(green) + 0.114 * Double(blue)
        }
    }
    let window = (-6...6).map { exp(-Double($0 * $0) / (2 * 1.5 * 1.5)) }
    let total = window.reduce(0, +)
    func mean(_ values: [Double]) -> [Double] {
        func along(_ values: [Double], _ place: (Int, Int) -> Int) -> [Double] {
            (0..<width * height).map { pixel in
                var sum = 0.0
                for (offset, weight) in zip(-6...6, window) { sum += weight * values[place(pixel, offset)] }
                return sum / total
            }
        }
        func within(_ place: Int, _ count: Int) -> Int { min(max(place, 0), count - 1) }
        let rows = along(values) { $0 / width * width + within($0 % width + $1, width) }
        return along(rows) { within($0 / width + $1, height) * width + $0 % width }
    }
    func products(_ one: [Double], _ other: [Double]) -> [Double] { zip(one, other).map { $0 * $1 } }
    let (x, y) = (light(first), light(second))
    let (mx, my) = (mean(x), mean(y))
    let (xx, yy, xy) = (mean(products(x, x)), mean(products(y, y)), mean(products(x, y)))
    let (c1, c2): (Double, Double) = (2.55 * 2.55, 7.65 * 7.65)
    var sum = 0.0
    for pixel in 0..<width * height {
        let (a, b) = (mx[pixel], my[pixel])
        let spread: Double = xx[pixel] - a * a + yy[pixel] - b * b
        let shared: Double = 2 * (xy[pixel] - a * b)
        let middles: Double = a * a + b * b + c1
        sum += (2 * a * b + c1) * (shared + c2) / (middles * (spread + c2))
    }
    return sum / Double(width * height)
}
