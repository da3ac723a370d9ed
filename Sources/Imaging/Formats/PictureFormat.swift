import Foundation

/// The formats that are read, told by a file's content and not by its name, and written.
public enum PictureFormat: String, Sendable, Hashable, CaseIterable {
    case png
    case jpeg
    case webP = "webp"

    /// The quality that JPEG and WebP files are written with unless another is asked for.
    public static let defaultQuality = 95

    /// The format that a file's ending names.
    ///
    /// - Throws: ``ImageError/unknownFormat(path:ending:)``.
    public init(ofFileAt file: URL) throws(ImageError) {
        switch file.pathExtension.lowercased() {
        case "png": self = .png
        case "jpg", "jpeg": self = .jpeg
        case "webp": self = .webP
        default: throw .unknownFormat(path: file.path, ending: file.pathExtension)
        }
    }

    /// The format that bytes are of, by the first of them; nil where it is none of these.
    public init?(_ bytes: Data) {
        func starts(with prefix: [UInt8], at offset: Int = 0) -> Bool {
            bytes.dropFirst(offset).starts(with: prefix)
        }
        if starts(with: [0x89] + Array("PNG\r\n\u{1A}\n".utf8)) {
            self = .png
        } else if starts(with: [0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if starts(with: Array("RIFF".utf8)), starts(with: Array("WEBP".utf8), at: 8) {
            self = .webP
        } else {
            return nil
        }
    }

    /// What a file is that is none of these, in a few words.
    static func describe(_ bytes: Data) -> String {
        let known: [(prefix: [UInt8], what: String)] = [
            (Array("GIF8".utf8), "a GIF"), (Array("II*\0".utf8), "a TIFF"), (Array("MM\0*".utf8), "a TIFF"),
            (Array("BM".utf8), "a BMP"), (Array("<svg".utf8), "an SVG"), (Array("<?xml".utf8), "an XML text"),
            (Array("<!DOCTYPE".utf8), "a web page"), (Array("<html".utf8), "a web page"),
            (Array("%PDF".utf8), "a PDF"),
        ]
        if bytes.isEmpty { return "it is empty" }
        let found = known.first { bytes.starts(with: $0.prefix) }?.what
        return (found.map { "it is \($0); " } ?? "") + "PNG, JPEG and WebP are read"
    }
}

extension Image {
    /// The largest picture that is read unless another limit is given, in pixels: 64 Mi.
    public static let pixelLimit = 64 << 20

    /// Reads a picture: PNG, JPEG or WebP, told by its content.
    ///
    /// It stands upright as its Exif data say; what is transparent is laid over white; 16-bit values are scaled to 8
    /// bits; grey, palettes and CMYK become RGB, without colour profiles; of an animation it is the first frame.
    ///
    /// - Parameters:
    ///   - name: What errors call it.
    ///   - pixelLimit: How many pixels are read at most; checked before memory is taken for them.
    /// - Throws: ``ImageError/notReadable(name:reason:)`` for what is not a whole picture of these formats.
    public init(reading bytes: Data, named name: String, pixelLimit: Int = Image.pixelLimit) throws {
        self = try PictureFile(reading: bytes, named: name, pixelLimit: pixelLimit).image
    }

    /// Reads a picture from a file; see ``init(reading:named:pixelLimit:)``.
    ///
    /// - Throws: ``ImageError/notReadable(name:reason:)`` also where there is no such file, or it is no regular one.
    public init(contentsOf file: URL, pixelLimit: Int = Image.pixelLimit) throws {
        self = try PictureFile(contentsOf: file, pixelLimit: pixelLimit).image
    }
}
