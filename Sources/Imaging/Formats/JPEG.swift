import CJPEGShim
import Foundation

/// A JPEG file's picture and Exif data.
struct JPEG {
    let image: Image
    let exif: ExifData

    /// What a JPEG file's marker has room for.
    private static let exifLimit = 65_527

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
        if jpeg.error.0 != 0 { throw ImageError.notReadable(name: name, reason: jpeg.message) }
        let stored = Image(
            width: Int(jpeg.width), height: Int(jpeg.height),
            pixels: Array(UnsafeBufferPointer(start: jpeg.bytes, count: jpeg.count)))
        exif = ExifData(reading: UnsafeRawBufferPointer(start: jpeg.exif, count: jpeg.exif_count))
        image = stored.upright(Orientation(exif))
    }

    /// A file's bytes.
    ///
    /// - Parameter quality: From 1 to 100.
    /// - Throws: ``ImageError/notEncodable(reason:)``.
    static func encoded(_ image: Image, exif: Data, quality: Int) throws -> Data {
        guard exif.count <= exifLimit else {
            throw ImageError.notEncodable(
                reason:
                    "its settings take \(exif.count) bytes, and JPEG has room for \(exifLimit): take PNG or WebP"
            )
        }
        var jpeg = exif.withUnsafeBytes { exif in
            easel_jpeg_encode(
                image.pixels, UInt32(image.width), UInt32(image.height), Int32(min(max(quality, 1), 100)),
                exif.bindMemory(to: UInt8.self).baseAddress, exif.count)
        }
        defer { easel_jpeg_free(&jpeg) }
        if jpeg.error.0 != 0 { throw ImageError.notEncodable(reason: jpeg.message) }
        return Data(bytes: jpeg.bytes, count: jpeg.count)
    }
}

extension easel_jpeg {
    fileprivate var message: String {
        withUnsafeBytes(of: error) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
