import Foundation
import Imaging

/// How far the running job is.
struct JobProgress: Sendable {
    let job: String
    let api: Job.Origin
    let started: Date
    /// The number of pictures.
    let pictures: Int
    var stage: String?
    /// Steps that are done, of the picture that is made now.
    var step = 0
    var steps: Int
    /// The picture that is made now, from 0.
    var picture = 0
    /// What the picture is going to be: a pixel a latent cell.
    var preview: Image?

    init(_ job: Job) {
        self.job = job.id
        api = job.api
        started = job.started ?? Date()
        pictures = job.count
        steps = job.settings.steps ?? 25
    }

    /// From 0 to 1; the steps' share of the whole.
    var fraction: Double {
        let done = Double(picture) + (steps > 0 ? Double(step) / Double(steps) : 0)
        return min(done / Double(max(pictures, 1)), 1)
    }
}
