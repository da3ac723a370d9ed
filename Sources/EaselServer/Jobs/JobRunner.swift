import Checkpoints
import Easel
import Foundation
import Imaging
import Logging
import Metrics
import ServiceLifecycle
import Synchronization

/// Makes the queued jobs' pictures: one job after another, or several at once where that is faster.
final class JobRunner: Service {
    private struct State {
        var isStopping = false
        var isAwake = false
        var sleeper: CheckedContinuation<Void, Never>?
    }

    /// The jobs that are made now.
    let running: RunningJobs
    private let state = Mutex(State())
    private let store: JobStore
    private let batches: JobBatches
    private let maker: JobMaker
    private let events: JobEvents
    private let logger: Logger
    /// How long a running job may go on when the server is to end, in seconds.
    private let patience: Double

    init(
        store: JobStore, batches: JobBatches, maker: JobMaker, running: RunningJobs, events: JobEvents,
        logger: Logger, patience: Double
    ) {
        self.store = store
        self.batches = batches
        self.maker = maker
        self.running = running
        self.events = events
        self.logger = logger
        self.patience = patience
    }

    /// Whether no other job is begun, since the server is about to end.
    var isStopping: Bool { state.withLock { $0.isStopping } }

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
                // From now on it can be cancelled, though its work begins when it is known with which others.
                _ = running.add(job)
                await work(on: await batches.batch(of: job))
            } catch {
                // A full disk, mostly: the queue waits until there is room.
                logger.error("the queue cannot be read", metadata: ["reason": "\(error)"])
                try? await Task.sleep(for: .seconds(1))
            }
        }
        // One that ends before it is told to is taken for a fault.
        try await gracefulShutdown()
    }

    /// Lets the running jobs end within the time that they have, and begins no other; ``run()`` then returns.
    func stop() {
        state.withLock { $0.isStopping = true }
        wake()
        // Those who wait for a job that is not begun any more.
        events.log.wake()
        Task { [patience, running] in
            try? await Task.sleep(for: .seconds(patience))
            for progress in running.progress { _ = running.end(progress.job, .parked) }
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

    /// Makes a job, or the jobs of a batch; returns when all are over.
    private func work(on batch: JobBatch) async {
        let stops = batch.jobs.map { running.add($0) }
        let shares = batch.begin(stops)
        if shares != nil { Counter(label: "easel_job_batches_total").increment() }
        for job in batch.jobs { events.started(job) }
        Task { [events, running] in await events.queueChanged(running: running.first?.job) }
        await withTaskGroup(of: Void.self) { group in
            var previous: Task<Void, any Error>?
            for (index, job) in batch.jobs.enumerated() {
                let task = Task { [maker, previous] in
                    try await maker.make(job, stops[index], share: shares?[index]) {
                        // What a batch could not do is done one after another.
                        _ = await previous?.result
                    }
                }
                running.begin(job.id, task)
                previous = task
                group.addTask { await self.finish(job, task) }
            }
        }
    }

    /// Waits for a job's work, and writes down how it ended.
    private func finish(_ job: Job, _ task: Task<Void, any Error>) async {
        let start = ContinuousClock.now
        let result = await task.result
        Timer(label: "easel_job_seconds").recordSeconds((ContinuousClock.now - start) / .seconds(1))
        guard let made = running.remove(job.id) else { return }
        await record(job) { [store] in
            switch (result, made.ending) {
            case (.success, nil):
                try await store.finish(job.id, .done, warnings: made.warnings, timings: made.timings)
            case (_, .parked): try await store.park(job.id)
            case (_, .cancelled):
                try await store.finish(job.id, .cancelled, warnings: made.warnings, timings: made.timings)
            case (.failure(let error), nil):
                try await store.finish(
                    job.id, .failed, failure: Job.Failure(error), warnings: made.warnings,
                    timings: made.timings)
            }
        }
        if case .failure(let error) = result, made.ending == nil {
            logger.warning("a job failed", metadata: ["job": "\(job.id)", "reason": "\(error)"])
        }
    }

    /// Writes down how a job ended, again and again while the disk is full: else it would be made once more.
    private func record(_ job: Job, _ write: () async throws -> Job?) async {
        while true {
            do {
                if let ended = try await write() { await events.ended(ended, running: running.first?.job) }
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
