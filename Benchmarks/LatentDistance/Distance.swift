import Foundation
import Imaging

/// How far numbers are from exact ones.
struct Distance {
    /// Of the two lists as vectors.
    let cosine: Double
    /// The length of their difference, as a part of the exact one's.
    let relativeError: Double

    init(_ values: [Float], from exact: [Float]) {
        var (product, own, other, gap) = (0.0, 0.0, 0.0, 0.0)
        for (value, wanted) in zip(values, exact) {
            let (value, wanted) = (Double(value), Double(wanted))
            product += value * wanted
            own += value * value
            other += wanted * wanted
            gap += (value - wanted) * (value - wanted)
        }
        cosine = product / (own * other).squareRoot()
        relativeError = (gap / other).squareRoot()
    }
}

/// The peak signal-to-noise ratio of two pictures of one size, in decibels.
func signalToNoise(_ one: Image, _ other: Image) -> Double {
    let squares = zip(one.pixels, other.pixels).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
    return 10 * log10(255 * 255 * Double(one.pixels.count) / max(squares, 1e-9))
}

func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(values.count, 1)) }
