import Foundation

/// What a picture's file says of how the picture was made.
public struct PictureNotes: Sendable, Hashable {
    /// AUTOMATIC1111's text: `parameters` in PNG, the user's comment in the Exif data of JPEG and WebP.
    public var parameters: String?
    /// Easel's record of everything, as JSON: an iTXt text in PNG, the maker's note in Exif data.
    public var record: String?

    /// The keyword of the record's PNG text, and what the maker's note begins with.
    public static let recordKeyword = "easel"

    public init(parameters: String? = nil, record: String? = nil) {
        self.parameters = parameters
        self.record = record
    }

    init(_ texts: [PNG.Text]) {
        parameters = texts.first { $0.keyword == "parameters" }?.text
        record = texts.first { $0.keyword == Self.recordKeyword }?.text
    }

    init(_ exif: ExifData) {
        parameters = exif.userComment
        let prefix = Array((Self.recordKeyword + "\0").utf8)
        if let note = exif.makerNote, note.starts(with: prefix) {
            record = String(decoding: note.dropFirst(prefix.count), as: UTF8.self)
        }
    }

    /// As PNG's texts.
    var texts: [PNG.Text] {
        (parameters.map { [PNG.Text(keyword: "parameters", text: $0)] } ?? [])
            + (record.map {
                [PNG.Text(keyword: Self.recordKeyword, text: $0, isInternational: true)]
            } ?? [])
    }

    /// As Exif data; empty where there is nothing to say.
    var exif: Data {
        guard parameters != nil || record != nil else { return Data() }
        var exif = ExifData()
        exif.userComment = parameters
        exif.makerNote = record.map { Array((Self.recordKeyword + "\0" + $0).utf8) }
        return exif.encoded
    }
}
