import Foundation
import Synchronization

/// How many jobs each client hands in within a minute.
final class RequestRate: Sendable {
    private struct Window {
        var began: Date
        var count: Int
    }

    private let windows = Mutex<[String: Window]>([:])
    private let perMinute: Int

    init(perMinute: Int) { self.perMinute = perMinute }

    /// Counts a job.
    ///
    /// - Throws: ``APIError`` where the client has handed in as many as it may.
    func count(_ client: String, now: Date = Date()) throws {
        let wait = windows.withLock { windows -> Int? in
            // Clients come and go; those of the last minute are all that need be known.
            if windows.count > 10_000 {
                windows = windows.filter { now.timeIntervalSince($0.value.began) < 60 }
            }
            var window = windows[client] ?? Window(began: now, count: 0)
            let age = now.timeIntervalSince(window.began)
            if age >= 60 || age < 0 { window = Window(began: now, count: 0) }
            guard window.count < perMinute else { return max(Int((60 - age).rounded(.up)), 1) }
            window.count += 1
            windows[client] = window
            return nil
        }
        guard let wait else { return }
        throw APIError(
            .tooManyRequests, "rate_limited", "this client hands in more than \(perMinute) jobs a minute",
            retryAfter: wait)
    }
}
