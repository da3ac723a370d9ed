import Imaging
import Sampling

extension ModelParts.Sight {
    /// Checks that a request has what the model needs to see.
    ///
    /// - Throws: ``RequestError``.
    func check(_ request: Request, model: String) throws(RequestError) {
        let edits = self == .picture
        guard self != .maskedPicture else { return }
        if request.initImage == nil {
            throw .needed(
                what: "a picture to \(edits ? "edit" : "start from")", option: "--init-image", model: model)
        }
        if edits, request.inpainting != nil || request.outpainting != nil {
            throw .notPossible(field: "a mask", model: model, reason: "it edits whole pictures")
        }
        if edits, request.highResolution != nil {
            throw .notPossible(
                field: "a second pass", model: model, reason: "it edits pictures of any size in one")
        }
        if self == .depth, request.depthMap == nil {
            throw .needed(what: "a picture of how far away things are", option: "--depth-map", model: model)
        }
    }
}

extension GenerationPlan {
    /// A picture's light in latent cells, from −1 where it is darkest to 1 where it is lightest: [pictures, 1, height,
    /// width]. As diffusers has it, by bicubic interpolation (Keys, 1981, with a = −0.75).
    func depth(of map: Image, pictures: Int) throws -> Latents {
        let light = (0..<map.width * map.height).map { pixel in
            (0..<3).reduce(Float(0)) { $0 + Float(map.pixels[3 * pixel + $1]) } / 3
        }
        let (rows, columns) = (
            BicubicTaps(from: map.height, to: latentHeight), BicubicTaps(from: map.width, to: latentWidth)
        )
        var values = [Float](repeating: 0, count: latentHeight * latentWidth)
        for y in 0..<latentHeight {
            for x in 0..<latentWidth {
                var sum: Float = 0
                for (row, vertical) in rows[y] {
                    for (column, horizontal) in columns[x] {
                        sum += vertical * horizontal * light[row * map.width + column]
                    }
                }
                values[y * latentWidth + x] = sum
            }
        }
        let (least, most) = (values.min() ?? 0, values.max() ?? 0)
        values = values.map { most > least ? 2 * ($0 - least) / (most - least) - 1 : 0 }
        return try Latents(
            Array(repeating: values, count: pictures).flatMap { $0 }, batch: pictures, channels: 1,
            height: latentHeight, width: latentWidth)
    }
}

/// What each place of a row is made of, of the four nearest places of another row.
private struct BicubicTaps {
    let from: Int
    let to: Int

    subscript(_ place: Int) -> [(index: Int, weight: Float)] {
        let position = (Float(place) + 0.5) * Float(from) / Float(to) - 0.5
        let start = position.rounded(.down)
        return (-1...2).map { offset in
            let distance = abs(position - start - Float(offset))
            return (min(max(Int(start) + offset, 0), from - 1), Self.weight(distance))
        }
    }

    private static func weight(_ x: Float) -> Float {
        let a: Float = -0.75
        if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
    }
}
