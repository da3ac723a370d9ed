import Foundation
import Imaging

/// In decibels, over all values of two pictures of one size.
func peakSignalToNoise(_ one: Image, _ other: Image) -> Double {
    let squares = zip(one.pixels, other.pixels).map { pow(Double($0) - Double($1), 2) }
    let mean = squares.reduce(0, +) / Double(squares.count)
    return mean == 0 ? .infinity : 10 * log10(255 * 255 / mean)
}
