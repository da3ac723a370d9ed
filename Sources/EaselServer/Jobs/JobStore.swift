import Foundation
import GRDB
import Synchronization

/// The jobs in the database: what is true of them after any end of the process.
final class JobStore: Sendable {
    private let pool: DatabasePool
    private let lastServed = Mutex<[String: Double]>([:])
    private let order = Mutex(KnownOrder())

    /// The queue's order, as long as nothing has changed.
    private struct KnownOrder {
        var version = 0
        var ids: [String]?
    }

    /// How many times a job is begun at most: one that ended the process so often is not tried again.
    static let mostAttempts = 3

    init(_ pool: DatabasePool) { self.pool = pool }

    /// What becomes of a job that is handed in.
    enum Acceptance: Sendable {
        case accepted(Job)
        /// The same request was handed in before, under the same key.
        case known(Job)
    }

    /// Puts jobs that were running when the process ended back into the queue, or parks those that were begun too often.
    func recover() async throws {
        let clients: [(name: String, served: Double)] = try await pool.write { database in
            try database.execute(
                sql: """
                    UPDATE job SET state = 'failed', finished = ?, errorCode = 'gave_up',
                        errorMessage = 'the server ended ' || attempts || ' times while it worked on this job'
                    WHERE state = 'running' AND attempts >= ?
                    """, arguments: [Date().timeIntervalSince1970, Self.mostAttempts])
            try database.execute(
                sql: "UPDATE job SET state = 'queued', started = NULL WHERE state = 'running'")
            return try Row.fetchAll(
                database,
                sql:
                    "SELECT client, MAX(started) AS served FROM job WHERE started IS NOT NULL GROUP BY client"
            ).map { ($0["client"], $0["served"]) }
        }
        lastServed.withLock { served in
            for client in clients { served[client.name] = client.served }
        }
        changed()
    }

    /// Keeps a job; when this returns, no end of the process loses it.
    ///
    /// - Throws: ``APIError`` where the queue is full or the key is known with another body; `DatabaseError`.
    func accept(_ job: Job, key: Key?, limits: ServerLimits, secondsLeft: Int) async throws -> Acceptance {
        var job = job
        let acceptance = try await pool.write { [job] database -> Acceptance in
            var job = job
            if let key {
                let known = try Row.fetchOne(
                    database, sql: "SELECT * FROM job WHERE client = ? AND idempotencyKey = ?",
                    arguments: [job.client, key.text])
                if let known {
                    guard known["bodyHash"] as String? == key.bodyHash else {
                        throw APIError(
                            .conflict, "key_reused",
                            "the Idempotency-Key was used for another request; give each its own")
                    }
                    return .known(try Job(row: known))
                }
            }
            let queued =
                try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM job WHERE state = 'queued'") ?? 0
            guard queued < limits.queueLength else {
                throw APIError(
                    .serviceUnavailable, "queue_full", "\(queued) jobs are waiting, which is as many as may",
                    retryAfter: max(secondsLeft, 1))
            }
            let own =
                try Int.fetchOne(
                    database, sql: "SELECT COUNT(*) FROM job WHERE state = 'queued' AND client = ?",
                    arguments: [job.client]) ?? 0
            guard own < limits.perClient else {
                throw APIError(
                    .tooManyRequests, "too_many_jobs",
                    "\(own) jobs of this client are waiting, which is as many as may",
                    retryAfter: max(secondsLeft, 1))
            }
            job.place = try Self.lastPlace(database) + 1
            try job.insert(database)
            if let key {
                try database.execute(
                    sql: "UPDATE job SET idempotencyKey = ?, bodyHash = ? WHERE id = ?",
                    arguments: [key.text, key.bodyHash, job.id])
            }
            return .accepted(job)
        }
        if case .accepted(let accepted) = acceptance {
            job = accepted
            changed()
        }
        return acceptance
    }

    /// The next job in the queue, which is then running; nil where none waits.
    func claim() async throws -> Job? { try await take { Array($0.prefix(1)) }.first }

    /// The jobs that are next in the queue.
    func next(_ count: Int) async throws -> [Job] {
        let ids = try await queue().prefix(count)
        let jobs = try await pool.read { try Job.fetchAll($0, keys: Array(ids)) }
        return ids.compactMap { id in jobs.first { $0.id == id } }
    }

    /// Takes several jobs, which are then running, if they are the next in the queue, in that order.
    ///
    /// - Returns: Nil where others have come before them, or one is gone; then none is taken.
    func claim(next ids: [String]) async throws -> [Job]? {
        let jobs = try await take { $0.starts(with: ids) ? ids : [] }
        return jobs.isEmpty ? nil : jobs
    }

    /// Takes those jobs of the queue that are chosen, which are then running.
    private func take(_ choose: @escaping @Sendable (_ queue: [String]) -> [String]) async throws -> [Job] {
        let now = Date().timeIntervalSince1970
        let served = lastServed.withLock { $0 }
        let jobs = try await pool.write { database -> [Job] in
            let queue = QueueOrder.sorted(try Self.entries(database), lastServed: served)
            return try choose(queue).map { id in
                try database.execute(
                    sql:
                        "UPDATE job SET state = 'running', started = ?, attempts = attempts + 1 WHERE id = ?",
                    arguments: [now, id])
                return try Job.find(database, key: id)
            }
        }
        guard !jobs.isEmpty else { return [] }
        lastServed.withLock { served in for job in jobs { served[job.client] = now } }
        changed()
        return jobs
    }

    /// Says how a running job ended.
    func finish(
        _ id: String, _ state: Job.State, failure: Job.Failure? = nil, warnings: [String] = [],
        timings: [String: Double] = [:]
    ) async throws -> Job? {
        try await update(id) { job in
            guard job.state == .running else { return }
            job.state = state
            job.finished = Date()
            job.failure = failure
            job.warnings = warnings
            job.timings = timings
        }
    }

    /// Puts a running job back, as if it had not begun.
    func park(_ id: String) async throws -> Job? {
        try await update(id) { job in
            guard job.state == .running else { return }
            job.state = .queued
            job.started = nil
            job.attempts -= 1
        }
    }

    /// Cancels a job that waits.
    ///
    /// - Returns: The job as it is then; it is running where only its worker can end it.
    func cancelQueued(_ id: String) async throws -> Job? {
        try await update(id) { job in
            guard job.state == .queued else { return }
            job.state = .cancelled
            job.finished = Date()
        }
    }

    /// Moves a waiting job before another, or to the end.
    ///
    /// - Throws: ``APIError`` where one of them does not wait.
    func move(_ id: String, before other: String?) async throws -> Job {
        defer { changed() }
        return try await pool.write { database in
            guard var job = try Job.fetchOne(database, key: id) else { throw APIError.notFound("job \(id)") }
            func waits(_ job: Job) throws {
                guard job.state == .queued else {
                    throw APIError(
                        .conflict, "not_queued", "job \(job.id) is \(job.state.rawValue), not queued")
                }
            }
            try waits(job)
            if let other {
                guard let next = try Job.fetchOne(database, key: other) else {
                    throw APIError.invalid("before", "there is no job \(other.prefix(64))")
                }
                try waits(next)
                let previous = try Double.fetchOne(
                    database,
                    sql: "SELECT MAX(place) FROM job WHERE state = 'queued' AND place < ? AND id <> ?",
                    arguments: [next.place, id])
                job.place = ((previous ?? next.place - 1) + next.place) / 2
                job.priority = next.priority
            } else {
                let last = try Int.fetchOne(
                    database, sql: "SELECT MIN(priority) FROM job WHERE state = 'queued' AND id <> ?",
                    arguments: [id])
                job.place = try Self.lastPlace(database) + 1
                job.priority = min(job.priority, last ?? job.priority)
            }
            try job.update(database, columns: ["place", "priority"])
            return job
        }
    }

    /// Forgets a job that is over; its pictures stay.
    ///
    /// - Returns: Whether there was one.
    /// - Throws: ``APIError`` where it is not over.
    func delete(_ id: String) async throws -> Bool {
        try await pool.write { database in
            guard let job = try Job.fetchOne(database, key: id) else { return false }
            guard job.state.isOver else {
                throw APIError(.conflict, "not_over", "job \(id) is \(job.state.rawValue); cancel it first")
            }
            return try job.delete(database)
        }
    }

    func job(_ id: String) async throws -> Job? { try await pool.read { try Job.fetchOne($0, key: id) } }

    /// Jobs of some states, newest first.
    ///
    /// - Parameter id: The job before which they are.
    func jobs(_ states: Set<Job.State>, limit: Int, before id: String?) async throws -> [Job] {
        try await pool.read { database in
            var query = Job.filter(states.contains(Column("state"))).order(Column("id").desc).limit(limit)
            if let id { query = query.filter(Column("id") < id) }
            return try query.fetchAll(database)
        }
    }

    /// The waiting jobs' identifiers, in the order that they are taken in.
    func queue() async throws -> [String] {
        let known = order.withLock { $0 }
        if let ids = known.ids { return ids }
        let served = lastServed.withLock { $0 }
        let ids = try await pool.read { QueueOrder.sorted(try Self.entries($0), lastServed: served) }
        order.withLock { if $0.version == known.version { $0.ids = ids } }
        return ids
    }

    /// The jobs of a client that wait and came by one API, first in first.
    func waiting(of client: String, from api: Job.Origin) async throws -> [String] {
        try await pool.read { database in
            try String.fetchAll(
                database,
                sql: "SELECT id FROM job WHERE state = 'queued' AND client = ? AND api = ? ORDER BY place",
                arguments: [client, api])
        }
    }

    /// The place in the queue of each job that waits, from 0.
    func places() async throws -> [String: Int] {
        Dictionary(uniqueKeysWithValues: try await queue().enumerated().map { ($1, $0) })
    }

    /// The highest place of a job that waits, or may wait again: those that are over are many.
    private static func lastPlace(_ database: Database) throws -> Double {
        let sql = "SELECT MAX(place) FROM job WHERE state IN ('queued', 'running')"
        return try Double.fetchOne(database, sql: sql) ?? 0
    }

    private static func entries(_ database: Database) throws -> [QueueOrder.Entry] {
        try Row.fetchAll(database, sql: "SELECT id, client, priority, place FROM job WHERE state = 'queued'")
            .map {
                QueueOrder.Entry(
                    id: $0["id"], client: $0["client"], priority: $0["priority"], place: $0["place"])
            }
    }

    private func update(_ id: String, _ change: @Sendable @escaping (inout Job) -> Void) async throws -> Job?
    {
        defer { changed() }
        return try await pool.write { database in
            guard var job = try Job.fetchOne(database, key: id) else { return nil }
            change(&job)
            try job.update(database)
            return job
        }
    }

    private func changed() {
        order.withLock {
            $0.version += 1
            $0.ids = nil
        }
    }
}
