import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle
import Synchronization

/// Streams of events as browsers read them (HTML, "Server-sent events").
struct EventStreams: Sendable {
    let log: EventLog
    private let open = OpenCount()
    private let limit: Int

    init(log: EventLog, limit: Int) {
        self.log = log
        self.limit = limit
    }

    /// How many are open.
    var count: Int { open.count.withLock { $0 } }

    private final class OpenCount: Sendable {
        let count = Mutex(0)
    }

    /// What the client has seen last; nil where it has seen nothing. A page whose stream another page had cannot say it in
    /// a header.
    static func lastEventID(_ request: Request) -> Int? {
        let header = request.headers[HTTPField.Name("Last-Event-ID")!]
        return (header ?? request.uri.queryParameters.get("last_event_id")).flatMap { Int($0) }
    }

    /// A stream of what happens from an event on.
    ///
    /// - Parameters:
    ///   - first: What is told before anything else, with no identifier of its own.
    ///   - job: The job that it is of, with which it ends; nil for all.
    /// - Throws: ``APIError`` where there are too many.
    func response(after id: Int, of job: String?, first: [(name: String, data: String)]) throws -> Response {
        guard count < limit else {
            throw APIError(
                .serviceUnavailable, "too_many_streams", "too many streams of events are open", retryAfter: 5)
        }
        let body = ResponseBody { writer in
            open.count.withLock { $0 += 1 }
            defer { open.count.withLock { $0 -= 1 } }
            try await write(to: &writer, after: id, of: job, first: first)
        }
        return Response(
            status: .ok,
            headers: [.contentType: "text/event-stream", .cacheControl: "no-store"], body: body)
    }

    private func write(
        to writer: inout any ResponseBodyWriter, after id: Int, of job: String?,
        first: [(name: String, data: String)]
    ) async throws {
        var last = id
        var text = "retry: 2000\n\n"
        for event in first { text += "event: \(event.name)\ndata: \(event.data)\n\n" }
        try await writer.write(ByteBuffer(string: text))
        if job != nil, first.contains(where: { Self.ends.contains($0.name) }) {
            return try await writer.finish(nil)
        }
        // A server that is about to end closes its streams; clients come back to the next one.
        let isEnding = Mutex(false)
        try await withGracefulShutdownHandler {
            while !isEnding.withLock({ $0 }) {
                let events = await log.events(after: last, of: job)
                try Task.checkCancellation()
                text = events.isEmpty ? ": \n\n" : ""
                for event in events {
                    last = max(last, event.id)
                    text += "id: \(event.id)\nevent: \(event.name)\ndata: \(event.data)\n\n"
                }
                try await writer.write(ByteBuffer(string: text))
                if job != nil, events.contains(where: { Self.ends.contains($0.name) }) { break }
            }
        } onGracefulShutdown: {
            isEnding.withLock { $0 = true }
            log.wake()
        }
        try await writer.finish(nil)
    }

    /// What a job's stream ends with.
    private static let ends: Set<String> = ["done", "failed", "cancelled"]
}

/// Gives readers of events a sign of life now and then, by which clients that vanished are noticed.
struct EventHeartbeat: Service {
    let log: EventLog

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: .seconds(15))
                log.wake()
            }
        }
    }
}
