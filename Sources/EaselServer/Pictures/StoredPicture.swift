import Easel
import Foundation
import GRDB
import Imaging

/// A picture of the gallery, without its bytes.
struct StoredPicture: Sendable, Hashable {
    /// The hash of its file.
    let id: String
    /// The job that made it first, and which of its pictures it is.
    let job: String
    let number: Int
    let created: Date
    let width: Int
    let height: Int
    let seed: UInt64
    let model: String
    let sampler: String
    let settings: JobSettings
    /// In AUTOMATIC1111's words.
    let parameters: String
    /// Its place among all: newer ones have larger ones. Nil where it was not read from the gallery.
    var serial: Int64?
    var favourite = false
    var trashed: Date?
    var tags: [String] = []

    /// - Parameter settings: The job's.
    init(_ picture: GeneratedPicture, id: String, job: String, settings: JobSettings) {
        self.id = id
        self.job = job
        number = picture.index
        created = Date()
        width = picture.image.width
        height = picture.image.height
        seed = picture.seed
        model = picture.metadata.model ?? ""
        sampler = picture.sampler
        parameters = picture.metadata.parameters
        var own = settings
        own.seed = Seed(picture.seed)
        // Pictures of a variation have one seed, and differ in this.
        if let variation = picture.metadata.variation { own.subseed = Seed(variation.seed) }
        own.count = 1
        own.steps = picture.metadata.steps
        own.guidanceScale = picture.metadata.guidanceScale
        own.prompt = picture.metadata.prompt
        own.negativePrompt = picture.metadata.negativePrompt
        self.settings = own
    }

    /// A picture of which only the file is known; nil where it carries no settings.
    init?(_ file: PictureFile, id: String) {
        guard let settings = JobSettings(file.notes) else { return nil }
        self.id = id
        job = ""
        number = 0
        created = Date()
        (width, height) = (file.image.width, file.image.height)
        seed = settings.seed?.value ?? 0
        model = settings.model ?? ""
        sampler = settings.sampler ?? ""
        parameters = file.notes.parameters ?? ""
        self.settings = settings
    }
}

extension StoredPicture: FetchableRecord {
    init(row: Row) throws {
        id = row["id"]
        job = row["job"]
        number = row["number"]
        created = Date(timeIntervalSince1970: row["created"])
        width = row["width"]
        height = row["height"]
        seed = UInt64(row["seed"] as String) ?? 0
        model = row["model"]
        sampler = row["sampler"]
        parameters = row["parameters"]
        settings = try JSONDecoder().decode(
            JobSettings.self, from: Data((row["settings"] as String).utf8))
        serial = row["serial"]
        favourite = row["favourite"]
        trashed = (row["trashed"] as Double?).map(Date.init(timeIntervalSince1970:))
        tags = (row["tags"] as String?)?.split(separator: "\u{1F}").map(String.init) ?? []
    }
}
