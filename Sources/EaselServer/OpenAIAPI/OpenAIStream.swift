import Checkpoints
import Foundation
import Hummingbird
import Imaging
import NIOCore

/// A stream of previews and pictures, as OpenAI's API has it.
struct OpenAIStream: Sendable {
    let queue: JobQueue
    let streams: EventStreams
    let files: PictureFiles
    let job: Job
    let asked: OpenAIRequest
    /// `image_generation` or `image_edit`.
    let kind: String

    /// - Throws: ``APIError`` where there are too many streams.
    func response(after first: Int) throws -> Response {
        try streams.response { writer in try await write(to: &writer, after: first) }
    }

    private func write(to writer: inout any ResponseBodyWriter, after first: Int) async throws {
        var (previews, pictures) = (0, 0)
        // One that was handed in before, under the same key, may be over.
        var news = EventLog.News(last: first, isIncomplete: true)
        while true {
            for event in news.events {
                if event.name == "step", let progress = queue.runner.running.progress(of: job.id) {
                    previews = try await writePreview(progress, sent: previews, to: &writer)
                }
                if event.name == "picture" {
                    previews = 0
                    pictures = try await writePictures(after: pictures, to: &writer)
                }
            }
            let mayBeOver = news.isIncomplete || news.events.contains { EventStreams.ends.contains($0.name) }
            if mayBeOver || queue.runner.isStopping {
                let now = try await queue.job(job.id)
                if now.state.isOver || (now.state == .queued && queue.runner.isStopping) {
                    _ = try await writePictures(after: pictures, to: &writer)
                    if now.state != .done { try await writeFailure(of: now, to: &writer) }
                    return try await writer.finish(nil)
                }
            }
            // A sign of life, by which a client that vanished is noticed.
            if news.events.isEmpty { try await writer.write(ByteBuffer(string: ": \n\n")) }
            news = await queue.events.log.news(after: news.last, of: job.id)
            try Task.checkCancellation()
        }
    }

    /// Sends a preview where the picture is far enough on for the next.
    ///
    /// - Returns: How many were sent of the picture.
    private func writePreview(
        _ progress: JobProgress, sent: Int, to writer: inout any ResponseBodyWriter
    ) async throws -> Int {
        let isDue = progress.step * (asked.partialImages + 1) >= (sent + 1) * progress.steps
        guard sent < asked.partialImages, isDue, progress.step < progress.steps,
            let preview = progress.largePreview
        else { return sent }
        let bytes = try PictureFile(preview).encoded(as: asked.format, quality: asked.quality)
        try await write(
            "partial_image",
            ["b64_json": .string(bytes.base64EncodedString()), "partial_image_index": JSONValue(sent)],
            to: &writer)
        return sent + 1
    }

    /// Sends the job's pictures but for the first ones, which were sent.
    ///
    /// - Returns: How many are sent by then.
    private func writePictures(after sent: Int, to writer: inout any ResponseBodyWriter) async throws -> Int {
        let usage: JSONValue = [
            "total_tokens": 0, "input_tokens": 0, "output_tokens": 0,
            "input_tokens_details": ["text_tokens": 0, "image_tokens": 0],
        ]
        let pictures = try await queue.gallery.pictures(of: [job.id])[job.id] ?? []
        for picture in pictures.dropFirst(sent) {
            let bytes = try asked.base64(picture.id, files)
            try await write("completed", ["b64_json": .string(bytes), "usage": usage], to: &writer)
        }
        return max(sent, pictures.count)
    }

    private func writeFailure(of job: Job, to writer: inout any ResponseBodyWriter) async throws {
        let error = job.state.isOver ? APIError(unfinished: job) : APIError.ending(job)
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
