import CPNGShim
import Foundation

/// A PNG file's picture and texts.
public struct PNG: Sendable, Hashable {
    /// A text chunk: what it is about, and the text.
    public struct Text: Sendable, Hashable {
        public let keyword: String
        public let text: String
        /// Whether it is written as UTF-8 (iTXt) also where Latin-1 has all its characters (tEXt).
        public let isInternational: Bool

        /// - Parameter keyword: 1 to 79 characters of Latin-1, as the format asks; `parameters` is where
        ///   AUTOMATIC1111 keeps a picture's settings.
        public init(keyword: String, text: String, isInternational: Bool = false) {
            self.keyword = keyword
            self.text = text
            self.isInternational = isInternational || text.latin1 == nil
        }
    }

    public let image: Image
    public let texts: [Text]

    public init(_ image: Image, texts: [Text] = []) {
        self.image = image
        self.texts = texts
    }

    /// Reads a PNG file's bytes.
    ///
    /// 16-bit values are scaled to 8 bits, palettes and grey are expanded.
    ///
    /// - Parameters:
    ///   - backdrop: What is transparent is laid over it.
    ///   - pixelLimit: How many pixels are read at most.
    /// - Throws: ``ImageError/notReadable(name:reason:)`` for what is not a whole PNG file, and for one of more
    ///   pixels, before memory is taken for them.
    public init(
        reading bytes: Data, named name: String, over backdrop: Backdrop = .white,
        pixelLimit: Int = Image.pixelLimit
    ) throws {
        var png = bytes.withUnsafeBytes { buffer in
            easel_png_decode(
                buffer.bindMemory(to: UInt8.self).baseAddress, buffer.count, UInt64(clamping: pixelLimit),
                backdrop.rawValue)
        }
        defer { easel_png_free(&png) }
        if png.error.0 != 0 {
            throw ImageError.notReadable(name: name, reason: png.message)
        }
        let stored = Image(
            width: Int(png.width), height: Int(png.height),
            pixels: Array(UnsafeBufferPointer(start: png.bytes, count: png.count)))
        let exif = ExifData(reading: UnsafeRawBufferPointer(start: png.exif, count: png.exif_count))
        image = stored.upright(Orientation(exif))
        texts = UnsafeBufferPointer(start: png.texts, count: png.text_count).map { chunk in
            let bytes = UnsafeRawBufferPointer(start: chunk.text, count: chunk.length)
            return Text(
                keyword: String(cString: chunk.keyword),
                text: chunk.international ? String(decoding: bytes, as: UTF8.self) : String(latin1: bytes),
                isInternational: chunk.international)
        }
    }

    /// How transparent a file's pixels are, of one channel: 0 is opaque, 255 not to be seen; upright as its Exif data say.
    ///
    /// - Throws: As ``init(reading:named:over:pixelLimit:)``.
    static func transparency(of bytes: Data, named name: String, pixelLimit: Int) throws -> Raster {
        var png = bytes.withUnsafeBytes { buffer in
            easel_png_decode_transparency(
                buffer.bindMemory(to: UInt8.self).baseAddress, buffer.count, UInt64(clamping: pixelLimit))
        }
        defer { easel_png_free(&png) }
        if png.error.0 != 0 {
            throw ImageError.notReadable(name: name, reason: png.message)
        }
        let stored = Raster(
            width: Int(png.width), height: Int(png.height), channels: 1,
            values: Array(UnsafeBufferPointer(start: png.bytes, count: png.count)))
        let exif = ExifData(reading: UnsafeRawBufferPointer(start: png.exif, count: png.exif_count))
        return stored.upright(Orientation(exif))
    }

    /// The file's bytes: the same for the same picture and texts.
    ///
    /// - Throws: ``ImageError/notEncodable(reason:)`` where libpng refuses, as it does where there is no memory.
    public func encoded() throws -> Data {
        var chunks: [easel_png_text] = []
        defer {
            for chunk in chunks {
                free(chunk.keyword)
                free(chunk.text)
            }
        }
        for text in texts {
            // NUL ends a text in the file, so that none can be in it.
            let plain = text.text.replacing("\0", with: "\u{FFFD}")
            let latin1 = text.isInternational ? nil : plain.latin1
            let bytes = latin1 ?? Array(plain.utf8)
            chunks.append(
                easel_png_text(
                    keyword: strdup(text.keyword),
                    text: bytes.withUnsafeBytes { source in
                        let copy = UnsafeMutableRawBufferPointer.allocate(
                            byteCount: source.count + 1, alignment: 1)
                        copy.copyMemory(from: source)
                        copy[source.count] = 0
                        return copy.bindMemory(to: CChar.self).baseAddress
                    }, length: bytes.count, international: latin1 == nil))
        }
        var png = easel_png_encode(
            image.pixels, UInt32(image.width), UInt32(image.height), chunks, chunks.count)
        defer { easel_png_free(&png) }
        if png.error.0 != 0 { throw ImageError.notEncodable(reason: png.message) }
        return Data(bytes: png.bytes, count: png.count)
    }
}

extension easel_png {
    fileprivate var message: String {
        withUnsafeBytes(of: error) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

extension String {
    /// The text in Latin-1, or nil where it has other characters.
    fileprivate var latin1: [UInt8]? {
        var bytes: [UInt8] = []
        for scalar in unicodeScalars {
            guard let byte = UInt8(exactly: scalar.value) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    fileprivate init(latin1 bytes: UnsafeRawBufferPointer) {
        self.init(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }
}
