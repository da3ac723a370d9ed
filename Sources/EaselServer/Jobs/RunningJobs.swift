import Easel
import Foundation
import Synchronization

/// The jobs that are made now, mostly one: how far each is, and how it is ended early.
final class RunningJobs: Sendable {
    /// Why a running job is to end early.
    enum Ending: Sendable {
        case cancelled
        /// It is made after the server's next start.
        case parked
    }

    /// What is known of one.
    struct Entry: Sendable {
        var progress: JobProgress
        /// Finishes its pictures early.
        let stop: EarlyStop
        /// Whether any were.
        var hasStopped = false
        var ending: Ending?
        var warnings: [String] = []
        /// In seconds, by stage.
        var timings: [String: Double] = [:]
        fileprivate var task: Task<Void, any Error>?
    }

    /// In the order that they were taken in.
    private let entries = Mutex<[Entry]>([])

    /// How far each is, in the order that they were taken in.
    var progress: [JobProgress] { entries.withLock { $0.map(\.progress) } }

    /// The one that was taken first; nil where none runs.
    var first: JobProgress? { entries.withLock { $0.first?.progress } }

    var count: Int { entries.withLock { $0.count } }

    /// What of the first is about to be finished early.
    var stopping: EarlyStop.Extent? { entries.withLock { $0.first?.stop.requested } }

    func progress(of job: String) -> JobProgress? {
        entries.withLock { entries in entries.first { $0.progress.job == job }?.progress }
    }

    /// Whether a job's pictures were finished early.
    func hasStopped(_ job: String) -> Bool {
        entries.withLock { entries in entries.first { $0.progress.job == job }?.hasStopped ?? false }
    }

    /// Takes note of a job that runs, whose work is yet to begin.
    ///
    /// - Returns: What finishes its pictures early; the same where it is known.
    func add(_ job: Job) -> EarlyStop {
        entries.withLock { entries in
            if let known = entries.first(where: { $0.progress.job == job.id }) { return known.stop }
            let entry = Entry(progress: JobProgress(job), stop: EarlyStop())
            entries.append(entry)
            return entry.stop
        }
    }

    /// Says what a job's work is, which ends where the job was ended already.
    func begin(_ job: String, _ task: Task<Void, any Error>) {
        update(job) { entry in
            entry.task = task
            if entry.ending != nil { task.cancel() }
        }
    }

    func update(_ job: String, _ change: (inout Entry) -> Void) {
        entries.withLock { entries in
            guard let index = entries.firstIndex(where: { $0.progress.job == job }) else { return }
            change(&entries[index])
        }
    }

    /// Ends a job early, if it runs; the others go on.
    ///
    /// - Returns: Whether it does.
    func end(_ job: String, _ ending: Ending) -> Bool {
        var runs = false
        update(job) { entry in
            runs = true
            entry.ending = entry.ending ?? ending
            entry.task?.cancel()
        }
        return runs
    }

    /// Takes no more steps of the picture that a job is at, or of those of its own that are made with it, if it runs: they
    /// are finished as they are.
    ///
    /// - Parameter extent: Whether it then goes on with the next, or is done.
    func stop(_ job: String, _ extent: EarlyStop.Extent) {
        update(job) { entry in
            guard entry.ending == nil else { return }
            entry.stop.request(extent)
            entry.hasStopped = true
        }
    }

    /// Forgets a job whose work is over.
    func remove(_ job: String) -> Entry? {
        entries.withLock { entries in
            entries.firstIndex { $0.progress.job == job }.map { entries.remove(at: $0) }
        }
    }
}
