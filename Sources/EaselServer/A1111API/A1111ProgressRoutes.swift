import Checkpoints
import Easel
import Foundation
import Hummingbird
import Imaging

/// How far the picture is that is made now, the first of several, and how it is ended early.
struct A1111ProgressRoutes: Sendable {
    let queue: JobQueue

    func add(to api: RouterGroup<ServerContext>, internals: RouterGroup<ServerContext>) {
        api.get("progress", use: progress)
        api.post("interrupt") { request, context in
            try await stopRunning(.request, context.client(request))
            return JSONBody([:]).response()
        }
        api.post("skip") { request, context in
            try await stopRunning(.batch, context.client(request))
            return JSONBody([:]).response()
        }
        internals.get("ping") { _, _ in JSONBody([:]).response() }
        internals.get("pending-tasks") { _, _ in
            JSONBody([
                "size": JSONValue(try await queue.store.queue().count),
                "tasks": JSONValue(try await queue.store.queue()),
            ]).response()
        }
        internals.post("progress", use: taskProgress)
    }

    /// Finishes what is made now as it is, if it came by this API; it is part of the job's answer. Others have their own
    /// ways to be cancelled. Of several that are made at once, those of the client who asks. Where all that it has waits yet,
    /// that is what it means, and nobody else's; one who has nothing, as behind another address, means whatever is made.
    private func stopRunning(_ extent: EarlyStop.Extent, _ client: String) async throws {
        let running = queue.runner.running.progress.filter { $0.api == .a1111 }
        let own = running.filter { $0.client == client }
        let waiting = try await own.isEmpty ? queue.store.waiting(of: client, from: .a1111) : []
        guard waiting.isEmpty else {
            if extent == .request { for job in waiting { try await cancel(job) } }
            return
        }
        for progress in own.isEmpty ? running : own { queue.runner.running.stop(progress.job, extent) }
    }

    /// Cancels a job, unless it is over by now.
    private func cancel(_ job: String) async throws {
        do {
            _ = try await queue.cancel(job)
        } catch let error as APIError where [.conflict, .notFound].contains(error.status) {}
    }

    @Sendable private func progress(_ request: Request, _ context: ServerContext) async throws -> Response {
        let running = queue.runner.running.first
        let wantsImage = request.uri.queryParameters.get("skip_current_image") != "true"
        let stopping = queue.runner.running.stopping
        let state: JSONValue = [
            "skipped": .bool(stopping == .batch), "interrupted": .bool(stopping == .request),
            "stopping_generation": false,
            "job": .string(running?.job ?? ""),
            "job_count": JSONValue(running?.pictures ?? 0),
            "job_timestamp": .string(A1111Info.timestamp(running?.started ?? Date(timeIntervalSince1970: 0))),
            "job_no": JSONValue(running?.picture ?? 0), "sampling_step": JSONValue(running?.step ?? 0),
            "sampling_steps": JSONValue(running?.steps ?? 0),
        ]
        let image = wantsImage ? running.flatMap(Self.image) : nil
        return JSONBody([
            "progress": .number(JSONNumber(running.map { max($0.fraction, 0.01) } ?? 0)),
            "eta_relative": .number(JSONNumber(running?.secondsLeft ?? 0)), "state": state,
            "current_image": image.map { .string($0) } ?? .null, "textinfo": .null,
        ]).response()
    }

    /// The preview at the picture's size, in base64.
    private static func image(of progress: JobProgress) -> String? {
        progress.largePreview.flatMap { try? PictureFile($0).encoded(as: .png) }?.base64EncodedString()
    }

    @Sendable private func taskProgress(_ request: Request, _ context: ServerContext) async throws -> Response
    {
        let fields = try await A1111Fields(of: request, limit: 64 << 10)
        let id = try fields.text("id_task") ?? ""
        let job = PictureFiles.isIdentifier(id) ? nil : try await queue.store.job(id)
        let running = queue.runner.running.progress(of: id)
        let isActive = running != nil
        let preview = running.flatMap(Self.image)
        return JSONBody([
            "active": .bool(isActive), "queued": .bool(job?.state == .queued),
            "completed": .bool(job?.state.isOver ?? false),
            "progress": (running?.fraction).map { .number(JSONNumber($0)) } ?? .null,
            "eta": (running?.secondsLeft).map { .number(JSONNumber($0)) } ?? .null,
            "live_preview": preview.map { .string("data:image/png;base64," + $0) } ?? .null,
            "id_live_preview": JSONValue(running?.step ?? -1), "textinfo": .null,
        ]).response()
    }
}
