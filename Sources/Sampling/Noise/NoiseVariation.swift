import Foundation

/// Other noise mixed into a seed's: pictures like the seed's, the less so the stronger it is. AUTOMATIC1111's "variation
/// seed" and "resize seed from".
public struct NoiseVariation: Sendable, Hashable {
    /// What the other noise is drawn from; picture `i` of several has it plus `i`, and all have the same seed.
    public var subseed: UInt64
    /// From 0, the seed's noise, to 1, the other.
    public var strength: Double

    public init(subseed: UInt64, strength: Double) {
        self.subseed = subseed
        self.strength = strength
    }

    /// One picture's noise `[channels, height, width]`, mixed along the arc between both (Shoemake, "Animating Rotation
    /// with Quaternion Curves", 1985), column by column.
    func mixed(_ own: [Float], with other: [Float], height: Int, width: Int) -> [Float] {
        var result = own
        let columns = own.count / height
        var angles: [Double] = []
        for column in 0..<columns {
            var (dot, first, second) = (0.0, 0.0, 0.0)
            for place in places(column, height, width) {
                dot += Double(own[place]) * Double(other[place])
                first += Double(own[place]) * Double(own[place])
                second += Double(other[place]) * Double(other[place])
            }
            angles.append(acos(min(max(dot / (first * second).squareRoot(), -1), 1)))
        }
        let areAlike = angles.reduce(0) { $0 + cos($1) } / Double(columns) > 0.9995
        for column in 0..<columns {
            let sine = sin(angles[column])
            let (share, otherShare) =
                areAlike || sine == 0
                ? (1 - strength, strength)
                : (sin((1 - strength) * angles[column]) / sine, sin(strength * angles[column]) / sine)
            for place in places(column, height, width) {
                result[place] = Float(share) * own[place] + Float(otherShare) * other[place]
            }
        }
        return result
    }

    private func places(_ column: Int, _ height: Int, _ width: Int) -> StrideTo<Int> {
        let start = column / width * height * width + column % width
        return stride(from: start, to: start + height * width, by: width)
    }
}

/// The size in latent cells that a seed's noise is drawn for; in pictures of another size it lies in the middle.
public struct NoiseSize: Sendable, Hashable {
    public var height: Int
    public var width: Int

    public init(height: Int, width: Int) {
        self.height = height
        self.width = width
    }

    /// Noise of this size over other noise, centred and cut off: each `[channels, height, width]`.
    func placed(_ values: [Float], over other: [Float], channels: Int, height: Int, width: Int) -> [Float] {
        var result = other
        let (right, down) = (margin(self.width, width), margin(self.height, height))
        for channel in 0..<channels {
            for row in down.inner {
                for column in right.inner {
                    result[(channel * height + row) * width + column] =
                        values[
                            (channel * self.height + row - down.offset) * self.width + column - right.offset]
                }
            }
        }
        return result
    }

    /// Where a side lies in another, in the middle, rounded down as AUTOMATIC1111 has it.
    private func margin(_ own: Int, _ whole: Int) -> (offset: Int, inner: Range<Int>) {
        let offset = (whole - own) >> 1
        let count = offset >= 0 ? own : own + 2 * offset
        return (offset, max(offset, 0)..<max(offset, 0) + count)
    }
}
