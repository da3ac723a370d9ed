import Easel
import Foundation
import OpenVINOEngine
import Testing

@Suite("The demo model draws what the prompt says")
struct DemoModelTests {
    static func model() throws -> Model {
        let folder = TinyModel.golden.deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Models/demo")
        return try Model(at: folder, engine: OpenVINOEngine())
    }

    /// The mean red, green and blue of the picture's upper left corner, where no object reaches.
    static func background(_ picture: GeneratedPicture) -> [Int] {
        let side = 16
        return (0..<3).map { channel in
            var sum = 0
            for row in 0..<side {
                for column in 0..<side {
                    sum += Int(picture.image.pixels[3 * (row * picture.image.width + column) + channel])
                }
            }
            return sum / (side * side)
        }
    }

    /// 0.9 million of the text encoder, 12.6 of the U-Net and 2.8 of the autoencoder, as its card says.
    @Test func itsParametersAreCounted() throws {
        #expect(try Self.model().parameterCount == 867_072 + 12_634_244 + 2_776_455)
    }

    @Test func theBackgroundIsTheNamedColour() async throws {
        let model = try Self.model()
        #expect((model.width, model.height) == (128, 128))
        let prompts: [(prompt: String, strongest: Int)] = [
            ("a red apple on a red background", 0), ("a red apple on a green background", 1),
            ("a red apple on a blue background", 2),
        ]
        for (prompt, strongest) in prompts {
            let picture = try await model.picture(Request(prompt: prompt, steps: 12, seed: 1))
            let colour = Self.background(picture)
            #expect(colour[strongest] == colour.max(), "\(prompt): \(colour)")
            #expect(colour[strongest] > colour.min()! + 60, "\(prompt): \(colour)")
        }
    }

    @Test func theThingIsTheNamedOne() async throws {
        let model = try Self.model()
        var middles: [String: Int] = [:]
        for thing in ["lemon", "panda", "top hat"] {
            let picture = try await model.picture(
                Request(prompt: "a \(thing) on a blue background", steps: 12, seed: 1))
            // The pixels that are far from the background's colour.
            let behind = Self.background(picture)
            let pixels = picture.image.pixels
            middles[thing] = stride(from: 0, to: pixels.count, by: 3).count { start in
                (0..<3).contains { abs(Int(pixels[start + $0]) - behind[$0]) > 60 }
            }
        }
        let all = 128 * 128
        for (thing, count) in middles {
            #expect(all / 20 < count && count < all * 3 / 4, "\(thing) covers \(count) of \(all) pixels")
        }
        #expect(Set(middles.values).count == middles.count)
    }
}
