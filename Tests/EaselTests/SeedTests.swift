import Easel
import EngineInterface
import Imaging
import OpenVINOEngine
import Sampling
import Testing

@Suite("A picture follows from its request alone")
struct SeedTests {
    @Test(arguments: TinyModel.allCases)
    func sameSeedSameBytes(_ tiny: TinyModel) async throws {
        let model = try tiny.opened()
        let first = try await model.picture(.quick())
        let second = try await model.picture(.quick())
        #expect(first.latents == second.latents)
        #expect(first.image == second.image)
        #expect(first.metadata == second.metadata)
        let elsewhere = try await tiny.opened().picture(.quick())
        #expect(first.image == elsewhere.image)
    }

    @Test func seedsOfSeveralPicturesCountUp() async throws {
        let model = try TinyModel.sd1.opened()
        let together = try await model.pictures(.quick(seed: 10, count: 3))
        #expect(together.map(\.index) == [0, 1, 2])
        #expect(together.map(\.seed) == [10, 11, 12])
        #expect(together.map(\.metadata.seed) == [10, 11, 12])
        for picture in together {
            let alone = try await model.picture(.quick(seed: picture.seed))
            #expect(alone.latents == picture.latents)
            #expect(alone.image == picture.image)
        }
        #expect(Set(together.map(\.image)).count == 3)
    }

    @Test func theNumberOfThreadsChangesNothing() async throws {
        var pictures: [GeneratedPicture] = []
        for threads in 1...3 {
            let model = try Model(
                at: demoModel, engine: OpenVINOEngine(threads: threads), precision: .float32)
            let request = Request(prompt: "a star on a red background", steps: 3, seed: 6)
            pictures.append(try await model.picture(request))
        }
        for picture in pictures.dropFirst() {
            #expect(picture.latents == pictures[0].latents && picture.image == pictures[0].image)
        }
    }

    /// Of the demo model, whose sizes are real ones, to the bit: on any number of threads.
    @Test(arguments: [1, 2]) func batchesChangeNothing(_ threads: Int) async throws {
        let model = try Model(at: demoModel, engine: OpenVINOEngine(threads: threads), precision: .float32)
        var request = Request(prompt: "a star on a red background", steps: 2, seed: 6, count: 4, batchSize: 4)
        let together = try await model.pictures(request)
        request.batchSize = 1
        for (one, other) in zip(try await model.pictures(request), together) {
            #expect(one.seed == other.seed && one.latents == other.latents && one.image == other.image)
        }
    }

    @Test func variationsShareTheSeedAndComeApart() async throws {
        let model = try TinyModel.sd1.opened()
        var request = Request.quick(steps: 2)
        (request.count, request.seed) = (2, 5)
        let plain = try await model.events(request).pictures
        request.variation = NoiseVariation(subseed: 70, strength: 0.2)
        let varied = try await model.events(request).pictures
        #expect(varied.map(\.seed) == [5, 5] && varied[0].image != varied[1].image)
        #expect(varied[0].image != plain[0].image)
        #expect(varied[1].metadata.parameters.contains("Variation seed: 71, Variation seed strength: 0.2"))
        request.variation?.strength = 0
        #expect(try await model.events(request).pictures.map(\.image) == plain.map(\.image))
        request.variation?.strength = 1.5
        await #expect(throws: RequestError.self) { try await model.events(request) }
    }

    @Test func otherGeneratorsMakeOtherPictures() async throws {
        let model = try TinyModel.sd1.opened()
        var request = Request.quick(steps: 2)
        let cpu = try await model.picture(request)
        request.randomSource = .torchCUDA
        let cuda = try await model.picture(request)
        #expect(cpu.image != cuda.image)
        #expect(cpu.metadata.parameters.contains("RNG: CPU") && !cuda.metadata.parameters.contains("RNG"))
        request.randomSource = .torchCPU
        request.seedSize = PixelSize(width: 128, height: 128)
        #expect(try await model.picture(request).image != cpu.image)
        request.seedSize = PixelSize(width: 65, height: 128)
        await #expect(throws: RequestError.self) { try await model.picture(request) }
    }

    @Test func theSeedAfterTheLastIsZero() async throws {
        let pictures = try await TinyModel.sd1.opened().pictures(.quick(seed: .max, steps: 1, count: 2))
        #expect(pictures.map(\.seed) == [.max, 0])
    }

    @Test(arguments: TinyModel.allCases)
    func batchesAreCloseToPicturesAlone(_ tiny: TinyModel) async throws {
        let model = try tiny.opened()
        let alone = try await model.pictures(.quick(count: 3))
        // A batch of two and one of one.
        let together = try await model.pictures(.quick(count: 3, batchSize: 2))
        #expect(together.map(\.seed) == alone.map(\.seed))
        for (one, other) in zip(alone, together) {
            #expect(largestDifference(one.latents.values, other.latents.values) <= 2e-3)
            #expect(largestDifference(one.image.pixels, other.image.pixels) <= 1)
        }
    }

    @Test func aDrawnSeedMakesThePictureAgain() async throws {
        let model = try TinyModel.sd1.opened()
        let drawn = try await model.picture(.quick(seed: nil))
        let again = try await model.picture(.quick(seed: drawn.seed))
        #expect(drawn.image == again.image)
        let other = try await model.picture(.quick(seed: nil))
        #expect(other.seed != drawn.seed)
    }
}
