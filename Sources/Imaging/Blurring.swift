import Foundation

extension Raster {
    /// A Gaussian blur with a standard deviation in pixels; the edges' pixels are repeated past them.
    ///
    /// The kernel reaches 2.5 deviations to each side, as AUTOMATIC1111's mask blur.
    func blurred(deviation: Double) -> Raster {
        guard deviation > 0 else { return self }
        let reach = Int(2.5 * deviation + 0.5)
        let kernel = (-reach...reach).map { exp(-Double($0 * $0) / (2 * deviation * deviation)) }
        let sum = kernel.reduce(0, +)
        let weights = kernel.map { Float($0 / sum) }
        let plane = values.map { Float($0) }
        let across = convolved(plane, weights, step: channels, count: width)
        let down = convolved(across, weights, step: channels * width, count: height)
        return Raster(
            width: width, height: height, channels: channels,
            values: down.map { UInt8(min(max(($0).rounded(), 0), 255)) })
    }

    /// Each value with its neighbours along an axis, which are `step` apart and `count` in a line.
    private func convolved(_ plane: [Float], _ weights: [Float], step: Int, count: Int) -> [Float] {
        let reach = weights.count / 2
        // A line with what is past its ends, and its sums. With one weight at a time, processors add several values at once.
        var line = [Float](repeating: 0, count: count + 2 * reach)
        var sums = [Float](repeating: 0, count: count)
        return [Float](unsafeUninitializedCapacity: plane.count) { buffer, filled in
            for index in 0..<plane.count / count {
                let start = index / step * count * step + index % step
                for place in line.indices {
                    line[place] = plane[start + min(max(place - reach, 0), count - 1) * step]
                }
                for place in sums.indices { sums[place] = 0 }
                for (offset, weight) in weights.enumerated() {
                    line.withUnsafeBufferPointer { line in
                        sums.withUnsafeMutableBufferPointer { sums in
                            for place in sums.indices { sums[place] += weight * line[place &+ offset] }
                        }
                    }
                }
                for place in sums.indices { buffer[start + place * step] = sums[place] }
            }
            filled = plane.count
        }
    }
}
