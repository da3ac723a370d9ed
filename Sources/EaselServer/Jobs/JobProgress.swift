import Foundation
import Imaging

/// How far a running job is.
struct JobProgress: Sendable {
    let job: String
    let settings: JobSettings
    let api: Job.Origin
    let client: String
    let started: Date
    /// The number of pictures.
    let pictures: Int
    var stage: String?
    /// When the first step was done, and how far it was then: the model's loading says nothing of what is left.
    private var first: (time: Date, fraction: Double)?
    /// Steps that are done, of the picture that is made now.
    var step = 0
    var steps: Int
    /// The picture that is made now, from 0.
    var picture = 0
    /// What the picture is going to be: a pixel a latent cell.
    var preview: Image?

    init(_ job: Job) {
        self.job = job.id
        settings = job.settings
        api = job.api
        client = job.client
        started = job.started ?? Date()
        pictures = job.count
        steps = job.settings.steps ?? 25
    }

    /// The preview at the picture's size: a latent cell is eight pixels wide.
    var largePreview: Image? {
        preview.map { $0.resized(.stretch, width: $0.width * 8, height: $0.height * 8) }
    }

    /// A step is done.
    mutating func advance(step: Int, of steps: Int, picture: Int) {
        (self.step, self.steps, self.picture) = (step, steps, picture)
        if first == nil { first = (Date(), fraction) }
    }

    /// In seconds, by the steps that are done; nil where there are fewer than two.
    var secondsLeft: Double? {
        guard let first, fraction > first.fraction else { return nil }
        return Date().timeIntervalSince(first.time) * (1 - fraction) / (fraction - first.fraction)
    }

    /// From 0 to 1; the steps' share of the whole.
    var fraction: Double {
        let done = Double(picture) + (steps > 0 ? Double(step) / Double(steps) : 0)
        return min(done / Double(max(pictures, 1)), 1)
    }
}
