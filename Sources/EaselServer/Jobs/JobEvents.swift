import Checkpoints
import Foundation
import Imaging

/// Tells the readers of events what becomes of jobs.
struct JobEvents: Sendable {
    let log: EventLog
    let gallery: Gallery
    let queue: @Sendable () async throws -> [String]

    func queued(_ job: Job, position: Int) {
        publish("queued", job.id, ["position": JSONValue(position)])
    }

    func started(_ job: Job) { publish("started", job.id, [:]) }

    func stage(_ stage: String, of job: Job) { publish("stage", job.id, ["stage": .string(stage)]) }

    func step(_ progress: JobProgress, of job: Job) {
        publish(
            "step", job.id,
            [
                "step": JSONValue(progress.step), "steps": JSONValue(progress.steps),
                "picture": JSONValue(progress.picture),
                "progress": .number(JSONNumber(progress.fraction)),
                "seconds_left": progress.secondsLeft.map { .number(JSONNumber($0)) } ?? .null,
            ])
    }

    func preview(_ image: Image, picture: Int, of job: Job) {
        guard let bytes = try? PictureFile(image).encoded(as: .jpeg, quality: 90) else { return }
        publish(
            "preview", job.id,
            [
                "picture": JSONValue(picture), "width": JSONValue(image.width),
                "height": JSONValue(image.height),
                "image": .string("data:image/jpeg;base64," + bytes.base64EncodedString()),
            ])
    }

    func warning(_ text: String, of job: Job) { publish("warning", job.id, ["message": .string(text)]) }

    func picture(_ picture: StoredPicture, of job: Job) {
        guard let body = try? JSONBody(encoding: PictureView(picture)) else { return }
        log.publish("picture", job: job.id, data: body.text)
    }

    /// A job is over, or waits again.
    ///
    /// - Parameter running: One that is made yet.
    func ended(_ job: Job, running: String? = nil) async {
        let pictures = (try? await gallery.pictures(of: [job.id]))?[job.id] ?? []
        let name = job.state == .queued ? "queued" : job.state.rawValue
        if let body = try? JSONBody(encoding: JobView(job, pictures: pictures)) {
            log.publish(name, job: job.id, data: Self.joined(body.text, job.id))
        }
        await queueChanged(running: running)
    }

    func queueChanged(running: String?) async {
        guard let state = try? await queueState(running: running) else { return }
        log.publish("queue", job: nil, data: state)
    }

    /// How many jobs wait, and which is made, as JSON.
    func queueState(running: String?) async throws -> String {
        let fields: JSONValue = [
            "queued": JSONValue(try await queue().count), "running": running.map { .string($0) } ?? .null,
        ]
        return fields.line
    }

    private func publish(_ name: String, _ job: String, _ fields: JSONValue) {
        log.publish(name, job: job, data: Self.joined(fields.line, job))
    }

    /// An object with the job's identifier in it.
    private static func joined(_ object: String, _ job: String) -> String {
        object == "{}" ? "{\"job\":\"\(job)\"}" : "{\"job\":\"\(job)\"," + object.dropFirst()
    }
}
