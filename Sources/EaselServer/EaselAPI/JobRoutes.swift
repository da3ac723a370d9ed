import Checkpoints
import Foundation
import Hummingbird

/// `/api/v1/jobs`: what is to be made, and what became of it.
struct JobRoutes: Sendable {
    let queue: JobQueue
    let streams: EventStreams

    static let fields = FieldNames(
        names: JobSettings.CodingKeys.allCases.map(\.rawValue),
        nested: [
            "loras": FieldNames(names: JobSettings.NamedLoRA.CodingKeys.allCases.map(\.rawValue)),
            "extend": FieldNames(names: JobSettings.Sides.CodingKeys.allCases.map(\.rawValue)),
            "hires": FieldNames(names: JobSettings.SecondPass.CodingKeys.allCases.map(\.rawValue)),
        ])

    func add(to api: RouterGroup<ServerContext>) {
        api.post("jobs", use: create)
        api.get("jobs", use: list)
        api.get("jobs/{id}", use: show)
        api.delete("jobs/{id}", use: delete)
        api.post("jobs/{id}/cancel", use: cancel)
        api.post("jobs/{id}/retry", use: retry)
        api.post("jobs/{id}/move", use: move)
        api.get("jobs/{id}/events", use: events)
        api.get("events", use: allEvents)
    }

    @Sendable func create(_ request: Request, _ context: ServerContext) async throws -> Response {
        let body = try await JSONRequest.value(of: request, limit: queue.limits.bodyBytes)
        let settings = try JSONRequest.decoded(JobSettings.self, from: body, fields: Self.fields)
        let (job, isNew) = try await queue.submit(
            settings, client: context.client(request), api: .easel,
            key: JobStore.Key(of: request, for: settings))
        return try JSONBody(encoding: await queue.view(job)).response(
            isNew ? .created : .ok, headers: [.location: "/api/v1/jobs/\(job.id)"])
    }

    @Sendable func list(_ request: Request, _ context: ServerContext) async throws -> Response {
        let query = try Query(request, ["state", "limit", "before"])
        let words = query["state"].map { $0.split(separator: ",").map(String.init) }
        let states = try words.map { words in
            try words.map { word in
                guard let state = Job.State(rawValue: word) else {
                    let all = Job.State.allCases.map(\.rawValue).joined(separator: ", ")
                    throw APIError.invalid("state", "state \(word.prefix(40)) is none; there are \(all)")
                }
                return state
            }
        }
        let limit = try query.number("limit", 1...200, default: 50)
        var jobs = try await queue.store.jobs(
            Set(states ?? Job.State.allCases), limit: limit, before: query["before"])
        let next = jobs.count == limit ? jobs.last?.id : nil
        if states.map(Set.init) == [.queued] {
            let places = try await queue.store.places()
            jobs.sort { places[$0.id] ?? .max < places[$1.id] ?? .max }
        }
        return try JSONBody(encoding: JobList(jobs: await queue.views(jobs), next: next)).response()
    }

    private struct JobList: Encodable {
        let jobs: [JobView]
        let next: String?
    }

    @Sendable func show(_ request: Request, _ context: ServerContext) async throws -> Response {
        try JSONBody(encoding: await queue.view(await queue.job(context.parameter("id")))).response()
    }

    @Sendable func delete(_ request: Request, _ context: ServerContext) async throws -> Response {
        guard try await queue.store.delete(context.parameter("id")) else {
            throw APIError.notFound("such job")
        }
        return Response(status: .noContent)
    }

    @Sendable func cancel(_ request: Request, _ context: ServerContext) async throws -> Response {
        try JSONBody(encoding: await queue.view(await queue.cancel(context.parameter("id")))).response()
    }

    @Sendable func retry(_ request: Request, _ context: ServerContext) async throws -> Response {
        let job = try await queue.retry(context.parameter("id"), client: context.client(request))
        return try JSONBody(encoding: await queue.view(job)).response(
            .created, headers: [.location: "/api/v1/jobs/\(job.id)"])
    }

    private struct Move: Decodable {
        let before: String?
    }

    @Sendable func move(_ request: Request, _ context: ServerContext) async throws -> Response {
        let move = try await JSONRequest.decoded(
            Move.self, of: request, limit: 4096, fields: FieldNames(names: ["before"]))
        let job = try await queue.move(context.parameter("id"), before: move.before)
        return try JSONBody(encoding: await queue.view(job)).response()
    }

    /// The job's events from the last that the client has; else what it is now, and its events from now on. Nothing where the
    /// client has the last of all.
    @Sendable func events(_ request: Request, _ context: ServerContext) async throws -> Response {
        let id = try context.parameter("id")
        // Before the job is looked at, so that nothing is missed between.
        let now = queue.events.log.lastID
        // A task keeps the memory that its functions took until it ends, and that of a stream may be hours away.
        async let state = state(of: id)
        let first = try await state
        let last = lastEvent(of: request)
        // A browser asks again by itself when a stream has ended, and stops where it is told that there is no more.
        if let last, queue.events.log.remembers(EventStreams.ends, of: id, until: last) {
            return Response(status: .noContent)
        }
        return try streams.response(after: last ?? now, of: id, first: last == nil ? [first] : []) {
            try await self.state(of: id)
        }
    }

    /// What the client has seen last, where all that came after is still there.
    private func lastEvent(of request: Request) -> Int? {
        EventStreams.lastEventID(request).flatMap { queue.events.log.remembers(after: $0) ? $0 : nil }
    }

    /// What a job is now, as an event.
    private func state(of id: String) async throws -> EventStreams.Told {
        let job = try await queue.job(id)
        let name = job.state == .running ? "started" : job.state.rawValue
        return (name, try JSONBody(encoding: try await queue.view(job)).text)
    }

    @Sendable func allEvents(_ request: Request, _ context: ServerContext) async throws -> Response {
        let now = queue.events.log.lastID
        let last = lastEvent(of: request)
        let first = last == nil ? [try await queueState()] : []
        return try streams.response(after: last ?? now, of: nil, first: first) { try await queueState() }
    }

    /// What the queue is now, as an event.
    private func queueState() async throws -> EventStreams.Told {
        ("queue", try await queue.events.queueState(running: queue.runner.running.first?.job))
    }
}
