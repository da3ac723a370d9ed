import Checkpoints
import Easel
import Foundation
import Imaging

/// Where every API hands its requests in, and asks what became of them.
struct JobQueue: Sendable {
    let store: JobStore
    let gallery: Gallery
    let runner: JobRunner
    let shelf: ModelShelf
    let resolver: SettingsResolver
    let speed: JobSpeed
    let events: JobEvents
    let limits: ServerLimits
    let rate: RequestRate

    /// Checks settings and keeps them as a job; when this returns, it is made whatever happens to the process.
    ///
    /// - Returns: The job, and whether it is new: it is not where the key was used for the same request before.
    /// - Throws: ``APIError`` for what cannot be made, and where too much waits.
    func submit(
        _ settings: JobSettings, client: String, api: Job.Origin, key: JobStore.Key? = nil
    ) async throws -> (job: Job, isNew: Bool) {
        var settings = settings
        settings.model = try await shelf.entry(named: settings.model).name
        try await check(settings)
        try rate.count(client)
        let job = Job(settings: settings.withSeed(), client: client, api: api)
        let waiting = try await secondsUntilIdle()
        switch try await store.accept(job, key: key, limits: limits, secondsLeft: waiting) {
        case .known(let known): return (known, false)
        case .accepted(let accepted):
            events.queued(accepted, position: try await position(of: accepted.id) ?? 0)
            await events.queueChanged(running: runner.running.first?.job)
            runner.wake()
            return (accepted, true)
        }
    }

    /// - Throws: ``APIError`` for settings of which no picture can be made, as far as it is known before the model is open.
    func check(_ settings: JobSettings) async throws {
        try settings.check(limits)
        if let vae = settings.vae { _ = try await shelf.autoencoder(named: vae) }
        let model = await shelf.openModel(named: settings.model, vae: settings.vae)
        let request = try settings.request(resolver, for: model)
        guard let model else { return }
        do {
            try model.check(request)
        } catch let error as FileError {
            throw error
        } catch {
            throw APIError.invalid(RequestError.field(of: error), PublicMessage.text(of: error))
        }
    }

    /// How long all that waits takes, in whole seconds, as far as it is known.
    private func secondsUntilIdle() async throws -> Int {
        let running = await runningSecondsLeft() ?? 0
        var settings = JobSettings(prompt: "")
        settings.model = await shelf.current
        let waiting = try await store.queue().count
        let all = await seconds(settings, of: waiting, atOnce: limits.jobsAtOnce) ?? 0
        return Int((running + all).rounded(.up))
    }

    /// How long the running jobs take yet, in seconds: by their steps, or, before there are any, by what such jobs took
    /// before; nil where neither is known.
    private func runningSecondsLeft() async -> Double? {
        let running = runner.running.progress
        var longest = 0.0
        for progress in running {
            var left = progress.secondsLeft
            if left == nil {
                left = await seconds(progress.settings, of: running.count, atOnce: running.count)
            }
            guard let left else { return nil }
            longest = max(longest, left)
        }
        return longest
    }

    /// How long so many jobs with such settings take in seconds, as ``JobSpeed`` has measured their model.
    private func seconds(_ settings: JobSettings, of jobs: Int, atOnce limit: Int) async -> Double? {
        let model = settings.model ?? ""
        return speed.seconds(
            await shelf.completed(settings, model: model), model: model, of: jobs, atOnce: limit)
    }

    /// A job by its identifier.
    ///
    /// - Throws: ``APIError`` where there is none.
    func job(_ id: String) async throws -> Job {
        guard let job = try await store.job(id) else { throw APIError.notFound("job \(id.prefix(64))") }
        return job
    }

    /// Ends a job, whether it waits or runs.
    ///
    /// - Throws: ``APIError`` where there is none, or it is over.
    func cancel(_ id: String) async throws -> Job {
        let before = try await job(id)
        guard !before.state.isOver else {
            throw APIError(.conflict, "over", "job \(id) is \(before.state.rawValue) already")
        }
        while true {
            guard let job = try await store.cancelQueued(id) else { throw APIError.notFound("job \(id)") }
            if job.state == .cancelled {
                await events.ended(job, running: runner.running.first?.job)
                return job
            }
            if job.state.isOver { return job }
            if runner.running.end(id, .cancelled) { return try await ended(id) }
            // It was just taken from the queue, or its end is about to be written down.
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// The job when it is over.
    ///
    /// - Throws: ``APIError`` where there is none, or it waits for the server's next start.
    func ended(_ id: String) async throws -> Job {
        var last = events.log.lastID
        while true {
            let job = try await job(id)
            if job.state.isOver { return job }
            if runner.isStopping, job.state == .queued { throw APIError.ending(job) }
            last = await events.log.news(after: last, of: id).last
            try Task.checkCancellation()
        }
    }

    /// Hands a job's settings in again; its seed too, so that the picture is the same.
    func retry(_ id: String, client: String) async throws -> Job {
        let job = try await job(id)
        guard job.state.isOver else {
            throw APIError(.conflict, "not_over", "job \(id) is \(job.state.rawValue)")
        }
        return try await submit(job.settings, client: client, api: job.api).job
    }

    /// Moves a waiting job before another, or to the end.
    func move(_ id: String, before other: String?) async throws -> Job {
        let job = try await store.move(id, before: other)
        await events.queueChanged(running: runner.running.first?.job)
        return job
    }

    /// How many jobs are taken before one that waits, the running ones included; nil where it does not wait.
    func position(of id: String) async throws -> Int? {
        guard let place = try await store.queue().firstIndex(of: id) else { return nil }
        return place + runner.running.count
    }

    func view(_ job: Job) async throws -> JobView { try await views([job])[0] }

    /// Jobs as the API tells them.
    func views(_ jobs: [Job]) async throws -> [JobView] {
        let pictures = try await gallery.pictures(of: jobs.map(\.id))
        let places = try await store.places()
        let running = runner.running
        let runningSeconds = await runningSecondsLeft()
        var views: [JobView] = []
        for job in jobs {
            var view = JobView(job, pictures: pictures[job.id] ?? [])
            if let progress = running.progress(of: job.id), !job.state.isOver {
                view.add(progress)
            } else if let place = places[job.id] {
                view.position = place + running.count
                // Those before are taken to be like it.
                let all = await seconds(job.settings, of: place + 1, atOnce: limits.jobsAtOnce)
                if let all, let runningSeconds { view.secondsLeft = all + runningSeconds }
            }
            views.append(view)
        }
        return views
    }
}

extension RequestError {
    /// The field that an error is about, in the API's words.
    static func field(of error: any Error) -> String? {
        switch error as? RequestError {
        case .size(let axis, _, _, _): axis
        case .outOfRange(let field, _, _): field.replacingOccurrences(of: " ", with: "_")
        case .blackMask, .noMask: "mask"
        case .memory, .memoryLimit: "width"
        case .noInitImage, .needed, .notPossible, .notOneBatch, nil: nil
        }
    }
}

extension APIError {
    /// What those are told who wait for a job that is made only by the server's next start.
    static func ending(_ job: Job) -> APIError {
        APIError(
            .serviceUnavailable, "ending", "the server ends; job \(job.id) is made after its next start",
            retryAfter: 10)
    }
}
