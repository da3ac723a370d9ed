import Foundation

/// What lies behind the transparent parts of a picture.
public enum Backdrop: UInt8, Sendable, Hashable {
    case black = 0
    case white = 255
}

/// A picture as a file has it: its pixels, and what is said of them.
public struct PictureFile: Sendable, Hashable {
    public let image: Image
    public var notes: PictureNotes

    public init(_ image: Image, notes: PictureNotes = PictureNotes()) {
        self.image = image
        self.notes = notes
    }

    /// Reads a picture: PNG, JPEG or WebP, told by its content; see ``Image/init(reading:named:pixelLimit:)``.
    ///
    /// - Parameter backdrop: What is transparent is laid over it.
    /// - Throws: ``ImageError/notReadable(name:reason:)`` for what is not a whole picture of these formats.
    public init(
        reading bytes: Data, named name: String, over backdrop: Backdrop = .white,
        pixelLimit: Int = Image.pixelLimit
    ) throws {
        switch PictureFormat(bytes) {
        case .png:
            let png = try PNG(reading: bytes, named: name, over: backdrop, pixelLimit: pixelLimit)
            self.init(png.image, notes: PictureNotes(png.texts))
        case .jpeg:
            let jpeg = try JPEG(reading: bytes, named: name, pixelLimit: pixelLimit)
            self.init(jpeg.image, notes: PictureNotes(jpeg.exif))
        case .webP:
            let webP = try WebP(reading: bytes, named: name, over: backdrop, pixelLimit: pixelLimit)
            self.init(webP.image, notes: PictureNotes(webP.exif))
        case nil: throw ImageError.notReadable(name: name, reason: PictureFormat.describe(bytes))
        }
    }

    /// Reads a picture from a file; see ``Image/init(contentsOf:pixelLimit:)``.
    public init(contentsOf file: URL, pixelLimit: Int = Image.pixelLimit) throws {
        let bytes = try pictureBytes(of: file)
        try self.init(reading: bytes, named: file.path, pixelLimit: pixelLimit)
    }

    /// The file's bytes: the same for the same picture and notes.
    ///
    /// - Parameter quality: Of JPEG and WebP, from 1 to 100; WebP loses nothing at 100. PNG never does.
    /// - Throws: ``ImageError/notEncodable(reason:)`` where there is no memory, or the notes are too long for the format.
    public func encoded(as format: PictureFormat, quality: Int = PictureFormat.defaultQuality) throws -> Data
    {
        switch format {
        case .png: try PNG(image, texts: notes.texts).encoded()
        case .jpeg: try JPEG.encoded(image, exif: notes.exif, quality: quality)
        case .webP: try WebP.encoded(image, exif: notes.exif, quality: quality)
        }
    }

    /// Writes the picture in the format that the file's ending names: `.png`, `.jpg`, `.jpeg` or `.webp`. The file
    /// appears whole or not at all.
    ///
    /// - Parameter quality: As in ``encoded(as:quality:)``.
    /// - Throws: ``ImageError`` where it cannot be written; nothing is then left behind.
    public func write(to file: URL, quality: Int = PictureFormat.defaultQuality) throws {
        let format = try PictureFormat(ofFileAt: file)
        try replaceFile(at: file, with: encoded(as: format, quality: quality))
    }
}

/// A file's bytes.
///
/// - Throws: ``ImageError/notReadable(name:reason:)``.
func pictureBytes(of file: URL) throws -> Data {
    let kind = try? FileManager.default.attributesOfItem(atPath: file.resolvingSymlinksInPath().path)
    guard let kind else { throw ImageError.notReadable(name: file.path, reason: "there is no such file") }
    guard kind[.type] as? FileAttributeType == .typeRegular else {
        throw ImageError.notReadable(name: file.path, reason: "it is not a regular file")
    }
    do {
        return try Data(contentsOf: file)
    } catch {
        throw ImageError.notReadable(name: file.path, reason: error.localizedDescription)
    }
}
