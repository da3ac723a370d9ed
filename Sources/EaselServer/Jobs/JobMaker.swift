import Easel
import Foundation
import Imaging
import Logging
import Metrics
import Sampling

/// Makes a job's pictures, tells of them as they come about, and keeps them.
struct JobMaker: Sendable {
    let gallery: Gallery
    let files: PictureFiles
    let thumbnails: PictureFiles
    let shelf: ModelShelf
    let resolver: SettingsResolver
    let speed: JobSpeed
    let events: JobEvents
    let running: RunningJobs
    let logger: Logger

    typealias Events = AsyncThrowingStream<GenerationEvent, any Error>

    /// What ended a job's share of a batch.
    private struct BatchFailure: Error { let cause: any Error }

    /// Makes a job; where it is one of a batch that cannot be made so, alone.
    ///
    /// - Parameters:
    ///   - share: What it gets of a batch's events; nil makes it alone.
    ///   - turn: Returns when the job may be made alone after all.
    func make(
        _ job: Job, _ stop: EarlyStop, share: JobBatch.Share?, turn: () async -> Void
    ) async throws {
        if let share {
            do {
                return try await follow(share.events, of: job, share)
            } catch let failure as BatchFailure {
                logger.notice(
                    "a batch of jobs failed; its jobs are made one after another",
                    metadata: ["job": "\(job.id)", "reason": "\(failure.cause)"])
                if !(failure.cause is SamplingError), !(failure.cause is GenerationError) {
                    speed.failed(share.settings, model: share.model.name, batch: share.count)
                }
            }
            await turn()
            try Task.checkCancellation()
            running.update(job.id) { ($0.progress, $0.warnings) = (JobProgress(job), []) }
        }
        let model = try await shelf.model(named: job.settings.model, vae: job.settings.vae)
        let request = try job.settings.request(resolver, for: model)
        let alone = JobBatch.Share(
            events: model.generate(request, stop: stop), model: model,
            settings: job.settings.completed(by: request, model), count: 1, isLast: true)
        try await follow(alone.events, of: job, alone)
    }

    /// Does what the events of a job's pictures ask for.
    ///
    /// - Throws: `BatchFailure` for what a batch throws, what one alone throws, `CancellationError`.
    private func follow(_ told: Events, of job: Job, _ share: JobBatch.Share) async throws {
        var iterator = told.makeAsyncIterator()
        func next() async throws -> GenerationEvent? {
            do {
                return try await iterator.next()
            } catch  where share.count > 1 && !Task.isCancelled {
                throw BatchFailure(cause: error)
            }
        }
        while let event = try await next() { try await take(event, of: job, share) }
        // The events of a task that is cancelled just end.
        try Task.checkCancellation()
    }

    private func take(_ event: GenerationEvent, of job: Job, _ share: JobBatch.Share) async throws {
        switch event {
        case .stage(let stage):
            running.update(job.id) { $0.progress.stage = stage.rawValue }
            events.stage(stage.rawValue, of: job)
        case .step(let step):
            running.update(job.id) { entry in
                entry.progress.advance(step: step.index + 1, of: step.count, picture: step.picture)
                entry.progress.preview = step.preview ?? entry.progress.preview
            }
            if let progress = running.progress(of: job.id) { events.step(progress, of: job) }
            for (index, preview) in step.previews.enumerated() {
                events.preview(preview, picture: step.picture + index, of: job)
            }
        case .warning(let warning):
            let text = PublicMessage.withoutFolders("\(warning)")
            running.update(job.id) { $0.warnings.append(text) }
            events.warning(text, of: job)
        case .finished(let picture):
            try await keep(picture, of: job)
            let seconds = Dictionary(
                uniqueKeysWithValues: picture.timings.map { ($0.key.rawValue, $0.value / .seconds(1)) })
            running.update(job.id) { $0.timings = seconds }
            // Steps that were not taken would make the others seem fast.
            if share.isLast, picture.index == job.count - 1, !running.hasStopped(job.id) {
                await speed.learn(
                    share.settings, model: share.model.name, timings: seconds, batch: share.count)
            }
        }
    }

    /// Writes a picture to the disk, and then into the gallery.
    private func keep(_ picture: GeneratedPicture, of job: Job) async throws {
        var file = picture.file
        // Where things are on this machine is nobody's business.
        file.notes.record = file.notes.record.map { PublicMessage.withoutFolders(record: $0) }
        let bytes = try file.encoded(as: .png)
        let id = try files.save(bytes)
        try thumbnails.save(Thumbnail.bytes(of: picture.image), as: id)
        Counter(label: "easel_pictures_total").increment()
        var stored = StoredPicture(picture, id: id, job: job.id, settings: job.settings)
        (stored.favourite, stored.tags) = try await gallery.add(stored, to: job.id) { [files] in
            try files.save(bytes, as: id)
        }
        running.update(job.id) { entry in
            entry.progress.picture = min(picture.index + 1, entry.progress.pictures)
            entry.progress.step = 0
        }
        events.picture(stored, of: job)
    }
}

/// A small picture for lists.
enum Thumbnail {
    /// In pixels.
    static let longestSide = 256

    /// - Throws: `ImageError`.
    static func bytes(of image: Image) throws -> Data {
        let scale = min(Double(longestSide) / Double(max(image.width, image.height)), 1)
        func side(_ pixels: Int) -> Int { max(Int((Double(pixels) * scale).rounded()), 1) }
        let small = image.resized(.stretch, width: side(image.width), height: side(image.height))
        return try PictureFile(small).encoded(as: .jpeg, quality: 85)
    }
}
