import CJPEGShim
import Foundation

/// A JPEG file's picture.
struct JPEG {
    let image: Image

    /// Reads a JPEG file's bytes: grey, YCbCr, RGB, CMYK and YCCK, baseline or progressive, upright as its Exif data
    /// say.
    ///
    /// - Throws: ``ImageError/notReadable(name:reason:)`` for what is not a whole JPEG file, and for one of more
    ///   pixels than the limit, before memory is taken for them.
    init(reading bytes: Data, named name: String, pixelLimit: Int) throws {
        var jpeg = bytes.withUnsafeBytes { buffer in
            easel_jpeg_decode(
                buffer.bindMemory(to: UInt8.self).baseAddress, buffer.count, UInt64(clamping: pixelLimit))
        }
        defer { easel_jpeg_free(&jpeg) }
        if jpeg.error.0 != 0 {
            let reason = withUnsafeBytes(of: jpeg.error) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            throw ImageError.notReadable(name: name, reason: reason)
        }
        let stored = Image(
            width: Int(jpeg.width), height: Int(jpeg.height),
            pixels: Array(UnsafeBufferPointer(start: jpeg.bytes, count: jpeg.count)))
        image = stored.upright(
            Orientation(exif: UnsafeRawBufferPointer(start: jpeg.exif, count: jpeg.exif_count)))
    }
}
