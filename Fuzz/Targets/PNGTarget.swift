import Foundation
import Imaging

/// A picture that is read is the same after it is written and read again, and so are its texts.
func checkPNG(_ bytes: [UInt8]) throws(Broken) {
    guard let read = try? PNG(reading: Data(bytes), named: "input", pixelLimit: 1 << 14) else { return }
    let image = read.image
    try require(image.pixels.count == 3 * image.width * image.height, "pixels are missing")
    guard let written = try? read.encoded(), let again = try? PNG(reading: written, named: "again") else {
        throw Broken(description: "what was read cannot be written")
    }
    try require(again.image == image, "the pixels changed")
    try require(again.texts.count == read.texts.count, "\(again.texts.count) texts of \(read.texts.count)")
}
