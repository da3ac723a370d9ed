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

    /// - Throws: ``APIError`` where as many are open as may.
    func checkLimit() throws {
        guard count < limit else {
            throw APIError(
                .serviceUnavailable, "too_many_streams", "too many streams of events are open", retryAfter: 5)
        }
    }

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
    ///   - state: What is true now, as an event: it stands for those that a slow reader missed.
    /// - Throws: ``APIError`` where there are too many.
    func response(
        after id: Int, of job: String?, first: [Told], state: @escaping @Sendable () async throws -> Told
    ) throws -> Response {
        try response { writer in
            try await write(to: &writer, after: id, of: job, first: first, state: state)
        }
    }

    /// An event's name, and its data.
    typealias Told = (name: String, data: String)

    /// A stream that counts among those that are open.
    ///
    /// - Throws: ``APIError`` where there are too many.
    func response(
        _ write: @escaping @Sendable (inout any ResponseBodyWriter) async throws -> Void
    ) throws -> Response {
        try checkLimit()
        let body = ResponseBody { writer in
            open.count.withLock { $0 += 1 }
            defer { open.count.withLock { $0 -= 1 } }
            try await write(&writer)
        }
        return Response(
            status: .ok,
            headers: [.contentType: "text/event-stream", .cacheControl: "no-store"], body: body)
    }

    private func write(
        to writer: inout any ResponseBodyWriter, after id: Int, of job: String?, first: [Told],
        state: @escaping @Sendable () async throws -> Told
    ) async throws {
        var last = id
        var text = "retry: 2000\n\n"
        for event in first { text += "event: \(event.name)\ndata: \(event.data)\n\n" }
        try await writer.write(ByteBuffer(string: text))
        func isEnd(_ name: String) -> Bool { job != nil && Self.ends.contains(name) }
        if first.contains(where: { isEnd($0.name) }) { return try await writer.finish(nil) }
        // A server that is about to end closes its streams; clients come back to the next one.
        let isEnding = Mutex(false)
        try await withGracefulShutdownHandler {
            while !isEnding.withLock({ $0 }) {
                let news = await log.news(after: last, of: job)
                try Task.checkCancellation()
                last = news.last
                var events = news.events.map { (id: $0.id, name: $0.name, data: $0.data) }
                if news.isIncomplete {
                    // In a task of its own, whose memory does not stay with the stream.
                    async let now = state()
                    let (name, data) = try await now
                    // What is over was told with all that came before.
                    if isEnd(name) { events = [] }
                    events.insert((last, name, data), at: 0)
                }
                text = events.isEmpty ? ": \n\n" : ""
                for event in events {
                    text += "id: \(event.id)\nevent: \(event.name)\ndata: \(event.data)\n\n"
                }
                try await writer.write(ByteBuffer(string: text))
                if events.contains(where: { isEnd($0.name) }) { break }
            }
        } onGracefulShutdown: {
            isEnding.withLock { $0 = true }
            log.wake()
        }
        try await writer.finish(nil)
    }

    /// What a job's stream ends with.
    static let ends: Set<String> = ["done", "failed", "cancelled"]
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
