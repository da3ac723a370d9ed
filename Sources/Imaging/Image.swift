/// A picture: 8 bits for each of red, green and blue, row by row from the top left.
public struct Image: Sendable, Hashable {
    /// In pixels.
    public let width: Int
    /// In pixels.
    public let height: Int
    /// `3 · width · height` values: red, green, blue of the first pixel, then of the next in its row.
    public internal(set) var pixels: [UInt8]

    /// Makes a picture of pixels; there must be three values for each.
    public init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(
            width > 0 && height > 0 && pixels.count == 3 * width * height,
            "\(pixels.count) values for a picture of \(width) × \(height)")
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// Makes a picture of what a decoder gives: `[3, height, width]` in −1…1; values outside are clamped.
    ///
    /// Rounds as diffusers does: x / 2 + 0.5, clamped to 0…1, times 255, half to even.
    public init(decoded values: [Float], width: Int, height: Int) {
        let plane = width * height
        precondition(
            values.count == 3 * plane, "\(values.count) values for a picture of \(width) × \(height)")
        let pixels = [UInt8](unsafeUninitializedCapacity: 3 * plane) { buffer, count in
            for channel in 0..<3 {
                for index in 0..<plane {
                    let unit = min(max(values[channel * plane + index] / 2 + 0.5, 0), 1)
                    // Written so that a value that is not a number is black, not a trap.
                    buffer[3 * index + channel] =
                        unit >= 0 ? UInt8((unit * 255).rounded(.toNearestOrEven)) : 0
                }
            }
            count = 3 * plane
        }
        self.init(width: width, height: height, pixels: pixels)
    }

    /// What an encoder takes: `[3, height, width]` in −1…1, where 0 is −1 and 255 is 1.
    public var encodable: [Float] {
        let plane = width * height
        return [Float](unsafeUninitializedCapacity: 3 * plane) { buffer, count in
            for channel in 0..<3 {
                for index in 0..<plane {
                    buffer[channel * plane + index] = Float(pixels[3 * index + channel]) / 255 * 2 - 1
                }
            }
            count = 3 * plane
        }
    }
}
