import Easel
import Logging

/// Which waiting jobs are made at once with one that is taken.
///
/// They are those that stand next in the queue, so that none overtakes another; as many as were measured to be faster at
/// once than one after another (``BatchChoice``).
struct JobBatches: Sendable {
    let store: JobStore
    let shelf: ModelShelf
    let resolver: SettingsResolver
    let speed: JobSpeed
    /// The most jobs that are made at once.
    let limit: Int
    let logger: Logger

    /// The batch that a running job leads; the others are running then too. Alone where there is nothing to be gained.
    func batch(of job: Job) async -> JobBatch {
        do {
            return try await taken(with: job) ?? JobBatch(job)
        } catch {
            logger.warning("jobs are made one by one", metadata: ["reason": "\(error)"])
            return JobBatch(job)
        }
    }

    private func taken(with job: Job) async throws -> JobBatch? {
        // One that may have ended the process before is tried alone, so that it takes no other with it.
        guard limit > 1, job.attempts == 1, job.settings.isForOnePicture,
            let model = await shelf.openModel(named: job.settings.model, vae: job.settings.vae),
            model.batchesExactly
        else { return nil }
        let request = try job.settings.request(resolver, for: model)
        let settings = job.settings.completed(by: request, model)
        let choice = speed.batchChoice(settings, model: model.name)
        let most = choice.size(of: limit)
        guard most > 1 else { return nil }
        var (jobs, requests) = ([job], [request])
        for next in try await store.next(most - 1) {
            guard next.attempts == 0, next.settings.isForOnePicture,
                next.settings.model == job.settings.model, next.settings.vae == job.settings.vae,
                let own = try? next.settings.request(resolver, for: model),
                (try? model.checkBatch([request, own])) != nil
            else { break }
            jobs.append(next)
            requests.append(own)
        }
        let size = choice.size(of: jobs.count)
        guard size > 1, let others = try await store.claim(next: jobs[1..<size].map(\.id)) else { return nil }
        return JobBatch([job] + others, Array(requests[..<size]), model, settings)
    }
}

extension JobSettings {
    /// Whether they are for one picture of words alone, in one pass: what a batch's jobs may be.
    var isForOnePicture: Bool { (count ?? 1) == 1 && initImage == nil && hires == nil }
}

/// A job that is made alone, or several that are made at once.
struct JobBatch: Sendable {
    /// What a job gets of it.
    struct Share: Sendable {
        let events: AsyncThrowingStream<GenerationEvent, any Error>
        let model: Model
        /// The batch's, with what its speed depends on.
        let settings: JobSettings
        /// How many jobs there are.
        let count: Int
        /// Whether its picture is decoded last, when all that the batch took is known.
        let isLast: Bool
    }

    let jobs: [Job]
    private var requests: [Request] = []
    private var model: Model?
    private let settings: JobSettings

    init(_ job: Job) { (jobs, settings) = ([job], job.settings) }

    /// - Parameter settings: The jobs', with what their speed depends on filled in.
    init(_ jobs: [Job], _ requests: [Request], _ model: Model, _ settings: JobSettings) {
        (self.jobs, self.requests, self.model, self.settings) = (jobs, requests, model, settings)
    }

    /// Begins a batch's work.
    ///
    /// - Parameter stops: One for each job.
    /// - Returns: Each job's share; nil for a job alone.
    func begin(_ stops: [EarlyStop]) -> [Share]? {
        guard let model else { return nil }
        return model.generate(batch: requests, stops: stops).enumerated().map { index, events in
            Share(
                events: events, model: model, settings: settings, count: jobs.count,
                isLast: index == jobs.count - 1)
        }
    }
}
