import Imaging
import Sampling
import Testing

@testable import Easel

@Suite("Pictures that fit together at their edges")
struct TilingTests {
    /// Where the values of a grid come from that is moved by half of its sides, along the axes without ends; what goes out
    /// at one edge comes in at the other.
    private func places(height: Int, width: Int, _ tiling: Tiling) -> [Int] {
        (0..<height).flatMap { row in
            (0..<width).map { column in
                let from = tiling == .x ? row : (row + height / 2) % height
                return from * width + (tiling == .y ? column : (column + width / 2) % width)
            }
        }
    }

    @Test("What is moved over an edge comes out moved", arguments: Tiling.allCases)
    func movedLatentsAreAMovedPicture(_ tiling: Tiling) async throws {
        let model = try openModel(at: demoModel)
        let (width, height) = (64, 128)
        var request = Request(
            prompt: "a red apple on a blue background", width: width, height: height, steps: 2, seed: 3)
        let ended = try await model.picture(request)
        request.tiling = tiling
        let made = try await model.picture(request)
        #expect(made.latents != ended.latents, "the U-Net sees its own edges")

        let latents = made.latents
        let cells = places(height: latents.height, width: latents.width, tiling)
        let values = (0..<latents.channels).flatMap { channel in
            cells.map { latents.values[channel * cells.count + $0] }
        }
        request.initLatents = try Latents(
            values, batch: 1, channels: latents.channels, height: latents.height, width: latents.width)
        // A strength of 0 only decodes.
        (request.initImage, request.strength) = (made.image, 0)
        let moved = try await model.picture(request)
        #expect(moved.latents.values == values)
        let pixels = places(height: height, width: width, tiling).flatMap { place -> [UInt8] in
            (0..<3).map { made.image.pixels[3 * place + $0] }
        }
        #expect(largestDifference(moved.image.pixels, pixels) <= 1)
        // With ends, the same latents are another picture.
        request.tiling = nil
        let other = try await model.picture(request)
        #expect(other.latents == moved.latents && largestDifference(other.image.pixels, pixels) > 1)
    }
}
