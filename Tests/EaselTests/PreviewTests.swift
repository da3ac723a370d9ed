import Imaging
import Testing

@testable import Easel

@Suite("Previews look like the picture")
struct PreviewTests {
    private func previews(_ request: Request, _ model: Model) async throws -> (
        steps: [(index: Int, previews: [Image])], pictures: [GeneratedPicture]
    ) {
        var steps: [(index: Int, previews: [Image])] = []
        let events = try await model.events(request)
        for case .step(let step) in events { steps.append((step.index, step.previews)) }
        return (steps, events.pictures)
    }

    /// The picture, a pixel a latent cell.
    private func reduced(_ image: Image, by factor: Int) -> Image {
        let (width, height) = (image.width / factor, image.height / factor)
        let pixels = (0..<width * height * 3).map { index -> UInt8 in
            let (pixel, color) = (index / 3, index % 3)
            var sum = 0
            for y in 0..<factor {
                for x in 0..<factor {
                    let place = (pixel / width * factor + y) * image.width + pixel % width * factor + x
                    sum += Int(image.pixels[3 * place + color])
                }
            }
            return UInt8(sum / (factor * factor))
        }
        return Image(width: width, height: height, pixels: pixels)
    }

    private func meanDifference(_ one: Image, _ other: Image) -> Double {
        let sum = zip(one.pixels, other.pixels).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
        return Double(sum) / Double(one.pixels.count)
    }

    @Test func theyComeWhenAskedFor() async throws {
        let model = try TinyModel.sd1.opened()
        var request = Request.quick(steps: 5, count: 3, batchSize: 2)
        request.sampler = "euler"
        let none = try await previews(request, model)
        #expect(none.steps.allSatisfy { $0.previews.isEmpty })
        request.previewInterval = 2
        let shown = try await previews(request, model)
        #expect(shown.steps.map { $0.previews.count } == [0, 2, 0, 2, 0, 0, 1, 0, 1, 0])
        let first = try #require(shown.steps[1].previews.first)
        #expect((first.width, first.height) == (8, 8))
        #expect(none.pictures.map(\.image) == shown.pictures.map(\.image), "previews change nothing")
        request.previewInterval = 0
        await #expect(throws: RequestError.self) { try await model.events(request) }
    }

    @Test func theLastIsThePictureMadeSmall() async throws {
        let model = try openModel(at: demoModel)
        var request = Request(prompt: "a red apple on a blue background", steps: 10, seed: 3)
        request.previewInterval = 1
        let first = try await previews(request, model)
        let small = reduced(first.pictures[0].image, by: 8)
        let grey = Image(
            width: small.width, height: small.height,
            pixels: Array(repeating: 128, count: small.pixels.count))
        let differences = try first.steps.map { meanDifference(try #require($0.previews.first), small) }
        let last = try #require(differences.last)
        #expect(last < 25 && last < meanDifference(grey, small) / 3, "\(differences)")
        #expect(last < differences[0] / 1.5, "previews come closer: \(differences)")
        // What was learnt from the first picture makes the next one's previews better.
        let again = try await previews(request, model)
        let learnt = meanDifference(try #require(again.steps.last?.previews.first), small)
        #expect(learnt <= last, "\(learnt) after \(last)")
    }
}
