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
        return [Float](unsafeUninitializedCapacity: plane.count) { buffer, filled in
            for index in plane.indices {
                let place = index / step % count
                let start = index - place * step
                var sum: Float = 0
                for (offset, weight) in weights.enumerated() {
                    sum += weight * plane[start + min(max(place + offset - reach, 0), count - 1) * step]
                }
                buffer[index] = sum
            }
            filled = plane.count
        }
    }
}
