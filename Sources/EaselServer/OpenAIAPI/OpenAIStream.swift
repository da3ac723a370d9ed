import Checkpoints
import Foundation
import Hummingbird
import Imaging
import NIOCore
import Synchronization

/// A stream of previews and pictures, as OpenAI's API has it.
struct OpenAIStream: Sendable {
    let queue: JobQueue
    let files: PictureFiles
    let job: Job
    let asked: OpenAIRequest
    /// `image_generation` or `image_edit`.
    let kind: String

    func response(after first: Int) -> Response {
        let body = ResponseBody { writer in
            var last = first
            var sent = 0
            while true {
                let events = await queue.events.log.events(after: last, of: job.id)
                try Task.checkCancellation()
                // A sign of life, by which a client that vanished is noticed.
                if events.isEmpty { try await writer.write(ByteBuffer(string: ": \n\n")) }
                for event in events {
                    last = max(last, event.id)
                    if event.name == "step", let progress = queue.runner.running.progress(of: job.id) {
                        sent = try await writePreview(progress, sent: sent, to: &writer)
                    }
                    if event.name == "picture" {
                        sent = 0
                        try await writePicture(event, to: &writer)
                    }
                    if event.name == "failed" || event.name == "cancelled" {
                        try await writeFailure(event, to: &writer)
                    }
                    if ["done", "failed", "cancelled"].contains(event.name) {
                        return try await writer.finish(nil)
                    }
                }
            }
        }
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"], body: body)
    }

    /// Sends a preview where the picture is far enough on for the next.
    ///
    /// - Returns: How many were sent of the picture.
    private func writePreview(
        _ progress: JobProgress, sent: Int, to writer: inout any ResponseBodyWriter
    ) async throws -> Int {
        let isDue = progress.step * (asked.partialImages + 1) >= (sent + 1) * progress.steps
        guard sent < asked.partialImages, isDue, progress.step < progress.steps,
            let preview = progress.preview
        else { return sent }
        let large = preview.resized(.stretch, width: preview.width * 8, height: preview.height * 8)
        let bytes = try PictureFile(large).encoded(as: asked.format, quality: asked.quality)
        try await write(
            "partial_image",
            ["b64_json": .string(bytes.base64EncodedString()), "partial_image_index": JSONValue(sent)],
            to: &writer)
        return sent + 1
    }

    private func writePicture(
        _ event: EventLog.Event, to writer: inout any ResponseBodyWriter
    ) async throws {
        let told = try? JSONValue(parsing: Array(event.data.utf8), named: "the event")
        guard let id = told?.objectValue?["id"]?.stringValue else { return }
        let usage: JSONValue = [
            "total_tokens": 0, "input_tokens": 0, "output_tokens": 0,
            "input_tokens_details": ["text_tokens": 0, "image_tokens": 0],
        ]
        try await write(
            "completed", ["b64_json": .string(try asked.base64(id, files)), "usage": usage], to: &writer)
    }

    private func writeFailure(
        _ event: EventLog.Event, to writer: inout any ResponseBodyWriter
    ) async throws {
        let told = try? JSONValue(parsing: Array(event.data.utf8), named: "the event")
        let message = told?.objectValue?["error"]?.objectValue?["message"]?.stringValue
        let error = APIError(.internalServerError, event.name, message ?? "the job was \(event.name)")
        try await writer.write(
            ByteBuffer(string: "event: error\ndata: \(OpenAIErrorShape().body(of: error).text)\n\n"))
    }

    private func write(
        _ name: String, _ fields: JSONObject, to writer: inout any ResponseBodyWriter
    ) async throws {
        let type = "\(kind).\(name)"
        let size = "\(job.settings.width ?? 0)x\(job.settings.height ?? 0)"
        var event: JSONObject = [
            "type": .string(type), "created_at": JSONValue(Int(Date().timeIntervalSince1970)),
            "size": .string(size), "quality": "auto", "background": "opaque",
            "output_format": .string(asked.format.mediaType.replacingOccurrences(of: "image/", with: "")),
        ]
        for member in fields.members { _ = event.append(member.value, for: member.key) }
        try await writer.write(
            ByteBuffer(string: "event: \(type)\ndata: \(JSONValue.object(event).line)\n\n"))
    }
}
