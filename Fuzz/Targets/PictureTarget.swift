import Foundation
import Imaging

/// A picture that is read has all its pixels, and can be resized.
func checkPicture(_ bytes: [UInt8]) throws(Broken) {
    guard let file = try? PictureFile(reading: Data(bytes), named: "input", pixelLimit: 1 << 14) else {
        return
    }
    let image = file.image
    try require(image.pixels.count == 3 * image.width * image.height, "pixels are missing")
    // What was read of its settings is written and read again.
    for format in PictureFormat.allCases where image.width * image.height < 1 << 12 {
        guard let written = try? file.encoded(as: format) else { continue }
        let again = try? PictureFile(reading: written, named: "again")
        try require(again?.notes.record == file.notes.record, "another record")
    }
    let small = image.resized(.crop, width: 8, height: 16)
    try require(small.width == 8 && small.height == 16, "\(small.width) × \(small.height)")
}
