extension Image {
    /// This picture with what a mask makes anew filled from around it: colours that spread inwards, ever finer towards
    /// the edge, as AUTOMATIC1111's "fill".
    public func filled(where mask: Mask) -> Image {
        precondition(width == mask.width && height == mask.height, "a mask of another size")
        let shares = mask.values.map { 1 - Float($0) / 255 }
        let colours = pixels.indices.map { Float(pixels[$0]) * shares[$0 / 3] }
        var result = pixels.map { Float($0) }
        for (step, reach) in [64, 32, 16, 8, 4, 2].enumerated() {
            // Blurred colours over the blurred share of what is kept: the mean of what is kept nearby.
            let nearby = Plane(shares, width: width, channels: 1).softened(reach: reach).values
            let blurred = Plane(colours, width: width, channels: 3).softened(reach: reach).values
            for place in result.indices where mask.values[place / 3] > 0 && nearby[place / 3] > 1e-4 {
                let share = nearby[place / 3]
                let mean = blurred[place] / share
                // The first colours fill all that they reach; finer ones go over them by their share.
                result[place] = step == 0 ? mean : mean * share + result[place] * (1 - share)
            }
        }
        return Image(
            width: width, height: height, pixels: result.map { UInt8(min(max($0, 0), 255).rounded()) })
    }
}

/// Rows of numbers, some a pixel.
private struct Plane {
    var values: [Float]
    let width: Int
    let channels: Int

    init(_ values: [Float], width: Int, channels: Int) {
        self.values = values
        self.width = width
        self.channels = channels
    }

    /// Blurred by the mean of so many pixels to each side, thrice along each axis, which is near a Gaussian (Wells,
    /// 1986); the edges' pixels are repeated past them.
    func softened(reach: Int) -> Plane {
        let height = values.count / (width * channels)
        var result = self
        for _ in 0..<3 {
            result.average(reach: reach, step: channels, count: width, lines: height, apart: channels * width)
            result.average(reach: reach, step: channels * width, count: height, lines: width, apart: channels)
        }
        return result
    }

    /// The running mean along lines of `count` values that are `step` apart.
    private mutating func average(reach: Int, step: Int, count: Int, lines: Int, apart: Int) {
        let scale = 1 / Float(2 * reach + 1)
        var line = [Float](repeating: 0, count: count)
        values.withUnsafeMutableBufferPointer { values in
            for index in 0..<lines * channels {
                let start = index / channels * apart + index % channels
                for place in 0..<count { line[place] = values[start + place * step] }
                func at(_ place: Int) -> Float { line[min(max(place, 0), count - 1)] }
                var sum = (-reach...reach).reduce(Float(0)) { $0 + at($1) }
                for place in 0..<count {
                    values[start + place * step] = sum * scale
                    sum += at(place + reach + 1) - at(place - reach)
                }
            }
        }
    }
}
