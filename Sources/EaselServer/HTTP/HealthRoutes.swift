import Checkpoints
import Hummingbird

/// Whether the server lives, and whether it takes jobs.
struct HealthRoutes: Sendable {
    let queue: JobQueue

    func add(to router: Router<ServerContext>) {
        router.get("healthz") { _, _ in JSONBody(["status": "ok"]).response() }
        router.get("readyz") { _, _ in
            let waiting = try await queue.store.queue().count
            guard waiting < queue.limits.queueLength else {
                throw APIError(
                    .serviceUnavailable, "queue_full", "\(waiting) jobs are waiting, which is as many as may",
                    retryAfter: 5)
            }
            return JSONBody(["status": "ok", "queued": JSONValue(waiting)]).response()
        }
    }
}
