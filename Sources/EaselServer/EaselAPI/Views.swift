import Foundation

/// A job as the API tells it.
struct JobView: Encodable, Sendable {
    let id: String
    let state: Job.State
    let created: String
    let started: String?
    let finished: String?
    let client: String
    let api: Job.Origin
    let model: String?
    let settings: JobSettings
    let priority: Int
    var position: Int?
    var secondsLeft: Double?
    var progress: Double
    var step: Int
    var steps: Int
    var picture: Int
    var stage: String?
    let attempts: Int
    let error: Job.Failure?
    let warnings: [String]
    let timings: [String: Double]
    let pictures: [PictureView]

    enum CodingKeys: String, CodingKey {
        case id, state, created, started, finished, client, api, model, settings, priority, position, progress
        case step, steps, picture, stage, attempts, error, warnings, timings, pictures
        case secondsLeft = "seconds_left"
    }

    init(_ job: Job, pictures: [StoredPicture]) {
        id = job.id
        state = job.state
        created = Timestamp.text(job.created)
        started = job.started.map(Timestamp.text)
        finished = job.finished.map(Timestamp.text)
        client = job.client
        api = job.api
        model = job.settings.model
        settings = job.settings
        priority = job.priority
        progress = job.state == .done ? 1 : 0
        (step, picture) = (0, 0)
        steps = job.settings.steps ?? 25
        attempts = job.attempts
        error = job.failure
        warnings = job.warnings
        timings = job.timings
        self.pictures = pictures.map { PictureView($0) }
    }

    /// With how far the running job is.
    mutating func add(_ progress: JobProgress) {
        (step, steps, picture) = (progress.step, progress.steps, min(progress.picture, progress.pictures - 1))
        stage = progress.stage
        self.progress = progress.fraction
        position = 0
        secondsLeft = progress.secondsLeft
    }
}

/// A picture as the API tells it.
struct PictureView: Encodable, Sendable {
    let id: String
    let job: String
    let index: Int
    let created: String
    let width: Int
    let height: Int
    let seed: Seed
    let model: String
    let sampler: String
    let prompt: String
    let negativePrompt: String
    let steps: Int
    let guidanceScale: Float
    let favourite: Bool
    let tags: [String]
    let trashed: String?
    let settings: JobSettings
    let parameters: String
    let file: String
    let thumbnail: String

    enum CodingKeys: String, CodingKey {
        case id, job, index, created, width, height, seed, model, sampler, prompt, steps, favourite, tags,
            trashed
        case settings, parameters, file, thumbnail
        case negativePrompt = "negative_prompt"
        case guidanceScale = "guidance_scale"
    }

    init(_ picture: StoredPicture) {
        id = picture.id
        job = picture.job
        index = picture.number
        created = Timestamp.text(picture.created)
        (width, height) = (picture.width, picture.height)
        seed = Seed(picture.seed)
        model = picture.model
        sampler = picture.sampler
        prompt = picture.settings.prompt
        negativePrompt = picture.settings.negativePrompt ?? ""
        steps = picture.settings.steps ?? 25
        guidanceScale = picture.settings.guidanceScale ?? 7.5
        favourite = picture.favourite
        tags = picture.tags
        trashed = picture.trashed.map(Timestamp.text)
        settings = picture.settings
        parameters = picture.parameters
        file = "/api/v1/pictures/\(picture.id)/file"
        thumbnail = "/api/v1/pictures/\(picture.id)/thumbnail"
    }
}

/// Times as text: ISO 8601, UTC, with milliseconds.
enum Timestamp {
    static func text(_ date: Date) -> String {
        date.formatted(
            Date.ISO8601FormatStyle(includingFractionalSeconds: true, timeZone: TimeZone(secondsFromGMT: 0)!))
    }
}
