import CWebP
import Foundation

/// A WebP file's picture, of an animation the first, and Exif data.
struct WebP {
    let image: Image
    let exif: ExifData

    /// Reads a WebP file's bytes, upright as its Exif data say; what is transparent is laid over the backdrop.
    ///
    /// - Throws: ``ImageError/notReadable(name:reason:)`` for what is not a whole WebP file, and for one of more
    ///   pixels than the limit, before memory is taken for them.
    init(reading bytes: Data, named name: String, over backdrop: Backdrop, pixelLimit: Int) throws {
        (image, exif) = try bytes.withUnsafeBytes { buffer in
            try Self.decode(
                buffer.bindMemory(to: UInt8.self), named: name, over: backdrop, pixelLimit: pixelLimit)
        }
    }

    private static func decode(
        _ bytes: UnsafeBufferPointer<UInt8>, named name: String, over backdrop: Backdrop, pixelLimit: Int
    ) throws -> (Image, ExifData) {
        func refuse(_ reason: String) -> ImageError { .notReadable(name: name, reason: reason) }
        var features = WebPBitstreamFeatures()
        guard WebPGetFeatures(bytes.baseAddress, bytes.count, &features) == VP8_STATUS_OK else {
            throw refuse("the WebP header is damaged")
        }
        let (width, height) = (Int(features.width), Int(features.height))
        guard width > 0, height > 0, width * height <= pixelLimit else {
            throw refuse("\(width) × \(height) pixels are more than the \(pixelLimit) that are read")
        }
        var data = WebPData(bytes: bytes.baseAddress, size: bytes.count)
        var options = WebPAnimDecoderOptions()
        guard WebPAnimDecoderOptionsInit(&options) != 0 else { throw refuse("another version of libwebp") }
        options.color_mode = MODE_RGBA
        guard let decoder = WebPAnimDecoderNew(&data, &options) else {
            throw refuse("the WebP file is damaged, or ends in the middle")
        }
        defer { WebPAnimDecoderDelete(decoder) }
        var (frame, time) = (UnsafeMutablePointer<UInt8>?.none, CInt(0))
        guard WebPAnimDecoderGetNext(decoder, &frame, &time) != 0, let frame else {
            throw refuse("the WebP file's pixels are damaged")
        }
        let stored = Image(
            rgba: UnsafeBufferPointer(start: frame, count: 4 * width * height), over: backdrop, width: width,
            height: height)
        let exif = exif(of: WebPAnimDecoderGetDemuxer(decoder))
        return (stored.upright(Orientation(exif)), exif)
    }

    private static func exif(of file: OpaquePointer?) -> ExifData {
        var chunk = WebPChunkIterator()
        guard WebPDemuxGetChunk(file, "EXIF", 1, &chunk) != 0 else { return ExifData() }
        defer { WebPDemuxReleaseChunkIterator(&chunk) }
        return ExifData(
            reading: UnsafeRawBufferPointer(start: chunk.chunk.bytes, count: chunk.chunk.size))
    }

    /// A file's bytes.
    ///
    /// - Parameter quality: From 1 to 100, which loses nothing.
    /// - Throws: ``ImageError/notEncodable(reason:)``.
    static func encoded(_ image: Image, exif: Data, quality: Int) throws -> Data {
        let (width, height, stride) = (Int32(image.width), Int32(image.height), Int32(3 * image.width))
        var output: UnsafeMutablePointer<UInt8>?
        let count =
            quality >= 100
            ? WebPEncodeLosslessRGB(image.pixels, width, height, stride, &output)
            : WebPEncodeRGB(image.pixels, width, height, stride, Float(max(quality, 1)), &output)
        defer { WebPFree(output) }
        guard count > 0, let output else {
            throw ImageError.notEncodable(
                reason: "WebP has no room for \(image.width)×\(image.height) pixels, or there is no memory")
        }
        guard !exif.isEmpty else { return Data(bytes: output, count: count) }
        let mux = WebPMuxNew()
        defer { WebPMuxDelete(mux) }
        var pixels = WebPData(bytes: output, size: count)
        var file = WebPData()
        defer { WebPDataClear(&file) }
        let isAssembled = exif.withUnsafeBytes { bytes in
            var chunk = WebPData(bytes: bytes.bindMemory(to: UInt8.self).baseAddress, size: bytes.count)
            return WebPMuxSetImage(mux, &pixels, 0) == WEBP_MUX_OK
                && WebPMuxSetChunk(mux, "EXIF", &chunk, 0) == WEBP_MUX_OK
                && WebPMuxAssemble(mux, &file) == WEBP_MUX_OK
        }
        guard isAssembled else { throw ImageError.notEncodable(reason: "there is no memory for a WebP file") }
        return Data(bytes: file.bytes, count: file.size)
    }
}

extension Image {
    /// A picture of colours and opacities, laid over a backdrop: a round half up, as libpng has it.
    fileprivate init(rgba: UnsafeBufferPointer<UInt8>, over backdrop: Backdrop, width: Int, height: Int) {
        let behind = Int(backdrop.rawValue)
        let pixels = [UInt8](unsafeUninitializedCapacity: 3 * width * height) { buffer, count in
            for pixel in 0..<width * height {
                let opacity = Int(rgba[4 * pixel + 3])
                for channel in 0..<3 {
                    let value = Int(rgba[4 * pixel + channel]) * opacity + behind * (255 - opacity)
                    buffer[3 * pixel + channel] = UInt8((value + 127) / 255)
                }
            }
            count = 3 * width * height
        }
        self.init(width: width, height: height, pixels: pixels)
    }
}
