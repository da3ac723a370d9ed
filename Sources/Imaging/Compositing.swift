extension Image {
    /// This picture where a mask is white over another where it is black, mixed where it is grey. Where it is black
    /// the other's bytes are kept exactly.
    ///
    /// - Precondition: All are of one size.
    public func over(_ other: Image, where mask: Mask) -> Image {
        precondition(
            width == other.width && height == other.height && width == mask.width && height == mask.height,
            "pictures and a mask of other sizes")
        var result = other.pixels
        for pixel in mask.values.indices {
            let share = Int(mask.values[pixel])
            guard share > 0 else { continue }
            for place in 3 * pixel..<3 * pixel + 3 {
                result[place] = UInt8(
                    (Int(pixels[place]) * share + Int(result[place]) * (255 - share) + 127) / 255)
            }
        }
        return Image(width: width, height: height, pixels: result)
    }

    /// This picture with another put over a part of it; what reaches past the edges is left out.
    public func pasting(_ other: Image, x: Int, y: Int) -> Image {
        var result = pixels
        for row in max(y, 0)..<max(min(y + other.height, height), max(y, 0)) {
            for column in max(x, 0)..<max(min(x + other.width, width), max(x, 0)) {
                let (target, source) = (
                    3 * (row * width + column), 3 * ((row - y) * other.width + column - x)
                )
                for channel in 0..<3 { result[target + channel] = other.pixels[source + channel] }
            }
        }
        return Image(width: width, height: height, pixels: result)
    }
}
