import Foundation
import Imaging

/// A picture that is read has all its pixels, and can be resized.
func checkPicture(_ bytes: [UInt8]) throws(Broken) {
    guard let image = try? Image(reading: Data(bytes), named: "input", pixelLimit: 1 << 20) else { return }
    try require(image.pixels.count == 3 * image.width * image.height, "pixels are missing")
    let small = image.resized(.crop, width: 8, height: 16)
    try require(small.width == 8 && small.height == 16, "\(small.width) × \(small.height)")
}
