import Foundation
import Imaging
import Sampling
import Testing

@testable import Easel

/// The mean square difference of two pictures' values.
private func distance(_ first: Image, _ second: Image, where mask: Mask? = nil) -> Double {
    var (sum, count) = (0.0, 0.0)
    for index in first.pixels.indices where mask.map({ $0.values[index / 3] > 0 }) ?? true {
        let difference = Double(first.pixels[index]) - Double(second.pixels[index])
        sum += difference * difference
        count += 1
    }
    return sum / max(count, 1)
}

@Suite("Pictures are made of pictures")
struct ImageToImageTests {
    private let picture: Image = {
        let pixels = (0..<128 * 128).flatMap { index -> [UInt8] in
            let (x, y) = (index % 128 - 64, index / 128 - 64)
            return x * x + y * y < 1600 ? [230, 40, 30] : [40, 80, 220]
        }
        return Image(width: 128, height: 128, pixels: pixels)
    }()

    /// A disc in the middle.
    private let mask = Mask(
        width: 128, height: 128,
        values: (0..<128 * 128).map { index in
            let (x, y) = (index % 128 - 64, index / 128 - 64)
            return x * x + y * y < 1000 ? 255 : 0
        })

    private func request(_ prompt: String = "a yellow star on a blue background", strength: Double) -> Request
    {
        var request = Request(prompt: prompt, steps: 10, seed: 3)
        request.initImage = picture
        request.strength = strength
        return request
    }

    @Test func strengthMovesAwayFromThePicture() async throws {
        let model = try openModel(at: demoModel)
        var distances: [Double] = []
        for strength in [0, 0.2, 0.5, 1] {
            let events = try await model.events(request(strength: strength))
            distances.append(distance(events.pictures[0].image, picture))
            let steps = events.count { if case .step = $0 { true } else { false } }
            #expect(steps == Int(10 * strength), "strength \(strength) takes its share of the steps")
            for case .step(let step) in events { #expect(step.count == steps && step.index < steps) }
        }
        #expect(distances == distances.sorted(), "\(distances)")
        // The demo model's autoencoder blurs edges: some 12 levels.
        #expect(distances[0] < 200, "strength 0 gives the picture through the autoencoder: \(distances)")
        #expect(distances[3] > 3 * distances[0], "\(distances)")
    }

    @Test(arguments: Inpainting.Fill.allCases)
    func onlyTheMaskChanges(_ fill: Inpainting.Fill) async throws {
        let model = try openModel(at: demoModel)
        var request = request(strength: 0.9)
        request.steps = 5
        request.inpainting = Inpainting(mask: mask, fill: fill)
        let made = try await model.picture(request).image
        #expect(distance(made, picture, where: mask.inverted) == 0)
        #expect(distance(made, picture, where: mask) > 300)

        request.inpainting?.maskBlur = 3
        let soft = try await model.picture(request).image
        let reach = mask.blurred(deviation: 3)
        for pixel in reach.values.indices where reach.values[pixel] == 0 {
            #expect(soft.pixels[3 * pixel] == picture.pixels[3 * pixel])
        }

        request.inpainting = Inpainting(mask: mask, invertsMask: true, fill: fill)
        let inverted = try await model.picture(request).image
        #expect(distance(inverted, picture, where: mask) == 0)
        #expect(distance(inverted, picture, where: mask.inverted) > 0)

        request.inpainting = Inpainting(mask: mask, fill: fill, composite: false)
        let free = try await model.picture(request).image
        #expect(
            distance(free, picture, where: mask.inverted) > 0, "the autoencoder changes what is not put back")
    }

    @Test func workingOnThePartKeepsTheRest() async throws {
        let model = try openModel(at: demoModel)
        let large = picture.resized(.stretch, width: 300, height: 260)
        var request = request(strength: 0.9)
        request.initImage = large
        request.inpainting = Inpainting(mask: mask, onlyMaskedPadding: 16)
        let events = try await model.events(request)
        let made = events.pictures[0].image
        #expect((made.width, made.height) == (300, 260), "the whole picture comes out")
        // Its settings have the size that the part was made at, as other programs' have, and are those of a request.
        let metadata = events.pictures[0].metadata
        #expect((metadata.width, metadata.height) == (model.width, model.height))
        var again = try Request(#require(GenerationMetadata(parameters: metadata.parameters)))
        (again.initImage, again.inpainting) = (large, request.inpainting)
        #expect(throws: Never.self) { try model.check(again) }
        let own = mask.resized(.stretch, width: 300, height: 260)
        #expect(distance(made, large, where: own) > 300)
        for pixel in own.values.indices where own.values[pixel] == 0 {
            #expect(made.pixels[3 * pixel] == large.pixels[3 * pixel])
        }
        let warned = events.contains {
            if case .warning(.maskResized(128, 128, 300, 260)) = $0 { true } else { false }
        }
        #expect(warned)
    }

    @Test func outpaintingKeepsThePicture() async throws {
        let model = try openModel(at: demoModel)
        var request = request(strength: 1)
        request.outpainting = Outpainting(left: 32, right: 8, top: 0, bottom: 24)
        let made = try await model.picture(request).image
        #expect((made.width, made.height) == (168, 152))
        #expect(made.cropped(x: 32, y: 0, width: 128, height: 128) == picture)
    }

    @Test func batchesAndCountsAreTheSamePictures() async throws {
        let model = try openModel(at: demoModel)
        var request = request(strength: 0.7)
        request.sampler = "euler-ancestral"
        request.inpainting = Inpainting(mask: mask)
        (request.count, request.batchSize) = (2, 2)
        let both = try await model.events(request).pictures
        request.batchSize = 1
        let apart = try await model.events(request).pictures
        #expect(both.map(\.image) == apart.map(\.image))
        request.count = 1
        request.seed = 4
        #expect(try await model.picture(request).image == both[1].image)
    }

    @Test func whatCannotBeMeantIsRefused() async throws {
        let model = try openModel(at: demoModel)
        for strength in [-0.1, 1.01, .nan] {
            await #expect(throws: RequestError.self) { try await model.picture(request(strength: strength)) }
        }
        var black = request(strength: 0.5)
        black.inpainting = Inpainting(
            mask: Mask(width: 8, height: 8, values: Array(repeating: 0, count: 64)))
        await #expect(throws: RequestError.blackMask(isInverted: false)) { try await model.picture(black) }
        black.inpainting?.invertsMask = true
        _ = try await model.picture(black)
        black.inpainting?.mask = Mask(width: 8, height: 8, values: Array(repeating: 255, count: 64))
        await #expect(throws: RequestError.blackMask(isInverted: true)) { try await model.picture(black) }
        black.initImage = nil
        await #expect(throws: RequestError.noInitImage(field: "a mask")) { try await model.picture(black) }
    }

    @Test(arguments: [(1, 1, 64, 64), (100, 70, 96, 64), (20, 200, 64, 640), (3000, 1500, 2048, 1024)])
    func theSizeIsThePicturesOwn(_ width: Int, _ height: Int, _ madeWidth: Int, _ madeHeight: Int)
        async throws
    {
        var request = Request(prompt: "x", steps: 1, seed: 1)
        request.initImage = picture.resized(.stretch, width: width, height: height)
        let size = try #require(request.ownSize(factor: 8))
        #expect((size.width, size.height) == (madeWidth, madeHeight))
    }

    @Test func metadataSayHowItWasMade() async throws {
        let model = try openModel(at: demoModel)
        var request = request(strength: 0.5)
        request.inpainting = Inpainting(mask: mask, maskBlur: 4, fill: .blur, onlyMaskedPadding: 32)
        let text = try await model.picture(request).metadata.parameters
        for part in [
            "Denoising strength: 0.5", "Masked content: fill", "Mask blur: 4", "Inpaint area: Only masked",
            "Masked area padding: 32",
        ] { #expect(text.contains(part), "\(text)") }
    }
}
