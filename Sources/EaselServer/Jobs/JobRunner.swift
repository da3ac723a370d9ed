import Checkpoints
import Easel
import Foundation
import Imaging
import Logging
import Metrics
import ServiceLifecycle
import Synchronization

/// Makes the queued jobs' pictures, one job after another.
final class JobRunner: Service {
    /// Why a running job is to end early.
    enum Ending: Sendable {
        case cancelled
        /// It is made after the server's next start.
        case parked
    }

    private struct State {
        var progress: JobProgress?
        var task: Task<Void, any Error>?
        var ending: Ending?
        /// Finishes the running job's pictures early.
        var stop = EarlyStop()
        /// Whether any were.
        var hasStopped = false
        var isStopping = false
        var isAwake = false
        var sleeper: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())
    private let store: JobStore
    private let gallery: Gallery
    private let files: PictureFiles
    private let thumbnails: PictureFiles
    private let shelf: ModelShelf
    private let resolver: SettingsResolver
    private let speed: JobSpeed
    private let events: JobEvents
    private let logger: Logger
    /// How long a running job may go on when the server is to end, in seconds.
    private let patience: Double

    init(
        store: JobStore, gallery: Gallery, files: PictureFiles, thumbnails: PictureFiles, shelf: ModelShelf,
        resolver: SettingsResolver, speed: JobSpeed, events: JobEvents, logger: Logger, patience: Double
    ) {
        self.store = store
        self.gallery = gallery
        self.files = files
        self.thumbnails = thumbnails
        self.shelf = shelf
        self.resolver = resolver
        self.speed = speed
        self.events = events
        self.logger = logger
        self.patience = patience
    }

    /// The running job's; nil where none runs.
    var progress: JobProgress? { state.withLock { $0.progress } }

    /// Whether no other job is begun, since the server is about to end.
    var isStopping: Bool { state.withLock { $0.isStopping } }

    /// Ends a job early, if it is the one that runs.
    ///
    /// - Returns: Whether it is.
    func end(_ job: String, _ ending: Ending) -> Bool {
        let task = state.withLock { state -> Task<Void, any Error>? in
            guard state.progress?.job == job, let task = state.task else { return nil }
            state.ending = state.ending ?? ending
            return task
        }
        task?.cancel()
        return task != nil
    }

    /// Takes no more steps of the picture that a job is at, or of those that are made with it, if it is the one that runs:
    /// they are finished as they are.
    ///
    /// - Parameter extent: Whether it then goes on with the next, or is done.
    func stop(_ job: String, _ extent: EarlyStop.Extent) {
        state.withLock { state in
            guard state.progress?.job == job, state.ending == nil else { return }
            state.stop.request(extent)
            state.hasStopped = true
        }
    }

    /// What of the running job is about to be finished early.
    var stopping: EarlyStop.Extent? {
        state.withLock { $0.progress == nil ? nil : $0.stop.requested }
    }

    /// Says that there may be a job to make.
    func wake() {
        let sleeper = state.withLock { state in
            state.isAwake = true
            defer { state.sleeper = nil }
            return state.sleeper
        }
        sleeper?.resume()
    }

    func run() async throws {
        while !isStopping {
            do {
                guard let job = try await store.claim() else {
                    await sleep()
                    continue
                }
                await work(on: job)
            } catch {
                // A full disk, mostly: the queue waits until there is room.
                logger.error("the queue cannot be read", metadata: ["reason": "\(error)"])
                try? await Task.sleep(for: .seconds(1))
            }
        }
        // One that ends before it is told to is taken for a fault.
        try await gracefulShutdown()
    }

    /// Lets the running job end within the time that it has, and begins no other; ``run()`` then returns.
    func stop() {
        state.withLock { $0.isStopping = true }
        wake()
        // Those who wait for a job that is not begun any more.
        events.log.wake()
        Task { [patience] in
            try? await Task.sleep(for: .seconds(patience))
            if let job = progress?.job { _ = end(job, .parked) }
        }
    }

    private func sleep() async {
        await withCheckedContinuation { continuation in
            let isAwake = state.withLock { state in
                defer { state.isAwake = false }
                if !state.isAwake, !state.isStopping {
                    state.sleeper = continuation
                    return false
                }
                return true
            }
            if isAwake { continuation.resume() }
        }
    }

    private func work(on job: Job) async {
        let warnings = Mutex<[String]>([])
        let timings = Mutex<[String: Double]>([:])
        let stop = EarlyStop()
        let task = Task {
            try await make(
                job, stop, warn: { warning in warnings.withLock { $0.append(warning) } },
                time: { stages in timings.withLock { $0 = stages } })
        }
        state.withLock { state in
            state.progress = JobProgress(job)
            state.task = task
            state.ending = nil
            (state.stop, state.hasStopped) = (stop, false)
        }
        events.started(job)
        let start = ContinuousClock.now
        let result = await task.result
        Timer(label: "easel_job_seconds").recordSeconds((ContinuousClock.now - start) / .seconds(1))
        let ending = state.withLock { state in
            defer { (state.progress, state.task, state.ending) = (nil, nil, nil) }
            return state.ending
        }
        let (told, times) = (warnings.withLock { $0 }, timings.withLock { $0 })
        await record(job) { [store] in
            switch (result, ending) {
            case (.success, nil):
                try await store.finish(job.id, .done, warnings: told, timings: times)
            case (_, .parked): try await store.park(job.id)
            case (_, .cancelled):
                try await store.finish(job.id, .cancelled, warnings: told, timings: times)
            case (.failure(let error), nil):
                try await store.finish(
                    job.id, .failed, failure: Job.Failure(error), warnings: told, timings: times)
            }
        }
        if case .failure(let error) = result, ending == nil {
            logger.warning("a job failed", metadata: ["job": "\(job.id)", "reason": "\(error)"])
        }
    }

    /// Writes down how a job ended, again and again while the disk is full: else it would be made once more.
    private func record(_ job: Job, _ write: () async throws -> Job?) async {
        while true {
            do {
                if let ended = try await write() { await events.ended(ended) }
                return
            } catch {
                logger.error(
                    "the end of a job cannot be written down",
                    metadata: ["job": "\(job.id)", "reason": "\(error)"])
                if isStopping { return }
                try? await Task.sleep(for: .seconds(1))
            }
        }
    }

    private func make(
        _ job: Job, _ stop: EarlyStop, warn: @Sendable (String) -> Void,
        time: @Sendable ([String: Double]) -> Void
    ) async throws {
        let model = try await shelf.model(named: job.settings.model, vae: job.settings.vae)
        let request = try job.settings.request(resolver, for: model)
        for try await event in model.generate(request, stop: stop) {
            switch event {
            case .stage(let stage):
                update { $0.stage = stage.rawValue }
                events.stage(stage.rawValue, of: job)
            case .step(let step):
                update { progress in
                    progress.advance(step: step.index + 1, of: step.count, picture: step.picture)
                    progress.preview = step.preview ?? progress.preview
                }
                if let progress { events.step(progress, of: job) }
                for (index, preview) in step.previews.enumerated() {
                    events.preview(preview, picture: step.picture + index, of: job)
                }
            case .warning(let warning):
                let text = PublicMessage.withoutFolders("\(warning)")
                warn(text)
                events.warning(text, of: job)
            case .finished(let picture):
                try await keep(picture, of: job)
                let seconds = Dictionary(
                    uniqueKeysWithValues: picture.timings.map { ($0.key.rawValue, $0.value / .seconds(1)) })
                time(seconds)
                // Steps that were not taken would make the others seem fast.
                if picture.index == job.count - 1, !state.withLock({ $0.hasStopped }) {
                    await speed.learn(
                        job.settings.completed(by: request, model), model: model.name, timings: seconds)
                }
            }
        }
        // The events of a task that is cancelled just end.
        try Task.checkCancellation()
    }

    /// Writes a picture to the disk, and then into the gallery.
    private func keep(_ picture: GeneratedPicture, of job: Job) async throws {
        var file = picture.file
        // Where things are on this machine is nobody's business.
        file.notes.record = file.notes.record.map(PublicMessage.withoutFolders)
        let id = try files.save(file.encoded(as: .png))
        try thumbnails.save(Thumbnail.bytes(of: picture.image), as: id)
        Counter(label: "easel_pictures_total").increment()
        let stored = StoredPicture(picture, id: id, job: job.id, settings: job.settings)
        try await gallery.add(stored, to: job.id)
        update { progress in
            progress.picture = min(picture.index + 1, progress.pictures)
            progress.step = 0
        }
        events.picture(stored, of: job)
    }

    private func update(_ change: (inout JobProgress) -> Void) {
        state.withLock { state in
            if state.progress != nil { change(&state.progress!) }
        }
    }
}

extension Job.Failure {
    /// What is told of an error that ended a job.
    fileprivate init(_ error: any Error) {
        if let error = error as? APIError {
            self.init(code: error.code, message: error.message)
        } else if case .notWritable(_, let reason) = error as? ImageError {
            self.init(code: "not_written", message: "the picture cannot be written: \(reason)")
        } else if error is FileError {
            self.init(code: "unreadable", message: PublicMessage.text(of: error))
        } else if error is RequestError {
            self.init(code: "invalid", message: PublicMessage.text(of: error))
        } else {
            self.init(code: "failed", message: PublicMessage.text(of: error))
        }
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
