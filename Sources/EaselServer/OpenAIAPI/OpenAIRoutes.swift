import Checkpoints
import Foundation
import HTTPTypes
import Hummingbird
import Imaging
import NIOCore
import WebFormats

/// `/v1/images` and `/v1/models`, as OpenAI's clients speak them.
struct OpenAIRoutes: Sendable {
    let queue: JobQueue
    let streams: EventStreams
    let uploads: Uploads
    let files: PictureFiles
    /// Whether the server answers only those who know its token.
    let needsToken: Bool

    func add(to api: RouterGroup<ServerContext>) {
        api.get("models") { _, _ in JSONBody(await models()).response() }
        api.get("models/{id}", use: model)
        api.post("images/generations", use: generate)
        api.post("images/edits", use: edit)
        api.post("images/variations", use: vary)
    }

    private func models() async -> JSONValue {
        let all: [JSONValue] = await queue.shelf.entries.map { Self.view($0.name) }
        return ["object": "list", "data": .array(all)]
    }

    private static func view(_ name: String) -> JSONValue {
        ["id": .string(name), "object": "model", "created": 0, "owned_by": "easel"]
    }

    @Sendable private func model(_ request: Request, _ context: ServerContext) async throws -> Response {
        let name = try context.parameter("id")
        guard await queue.shelf.entries.contains(where: { $0.name == name }) else {
            throw APIError.notFound("model \(name.prefix(100))")
        }
        return JSONBody(Self.view(name)).response()
    }

    @Sendable private func generate(_ request: Request, _ context: ServerContext) async throws -> Response {
        let body = try await JSONRequest.value(of: request, limit: queue.limits.bodyBytes)
        guard case .object(let object) = body else {
            throw APIError.invalid(nil, "the body must be an object of JSON")
        }
        let asked = try OpenAIRequest(
            { name in
                guard let value = object[name], !value.isNull else { return nil }
                if let text = value.stringValue { return text }
                if let flag = value.boolValue { return String(flag) }
                if let number = value.numberValue { return number.text }
                throw APIError.invalid(name, "\(name) is not a value of the kind that it must be")
            }, native: object["easel"], needsToken: needsToken)
        guard object["prompt"]?.stringValue != nil else {
            throw APIError(.badRequest, "missing_field", "the field \"prompt\" is missing", field: "prompt")
        }
        return try await answer(asked, request, context, kind: "image_generation")
    }

    @Sendable private func edit(_ request: Request, _ context: ServerContext) async throws -> Response {
        let form = try await MultipartForm(of: request, limit: queue.limits.bodyBytes)
        var asked = try asked(form)
        guard form.text("prompt") != nil else {
            throw APIError(.badRequest, "missing_field", "the field \"prompt\" is missing", field: "prompt")
        }
        let image = try await addPicture(form, to: &asked)
        if let drawn = form.files("mask").first {
            asked.settings.mask = try await mask(of: drawn, isRequired: true)
        } else {
            // What is transparent in the picture itself is what is to be edited.
            asked.settings.mask = try? await mask(of: image, isRequired: false)
        }
        if asked.settings.mask != nil { asked.settings.strength = asked.settings.strength ?? 1 }
        return try await answer(asked, request, context, kind: "image_edit")
    }

    @Sendable private func vary(_ request: Request, _ context: ServerContext) async throws -> Response {
        let form = try await MultipartForm(of: request, limit: queue.limits.bodyBytes)
        var asked = try asked(form)
        _ = try await addPicture(form, to: &asked)
        return try await answer(asked, request, context, kind: "image_generation")
    }

    private func asked(_ form: MultipartForm) throws -> OpenAIRequest {
        let native = try form.text("easel").map { text in
            do {
                return try JSONValue(parsing: Array(text.utf8), named: "easel")
            } catch {
                throw APIError.invalid("easel", "\(error)")
            }
        }
        return try OpenAIRequest({ form.text($0) }, native: native, needsToken: needsToken)
    }

    private func addPicture(_ form: MultipartForm, to asked: inout OpenAIRequest) async throws -> Data {
        guard let image = form.files("image").first else {
            throw APIError(.badRequest, "missing_field", "the field \"image\" is missing", field: "image")
        }
        asked.settings.initImage = try await uploads.add(image).id
        return image
    }

    /// Keeps a mask whose white is what is transparent in a picture.
    private func mask(of bytes: Data, isRequired: Bool) async throws -> String {
        let mask = try Mask(
            transparencyOf: bytes, named: "the mask", pixelLimit: queue.limits.pixels)
        guard !mask.isBlack else {
            throw APIError.invalid("mask", "nothing of the mask is transparent, and that is what is edited")
        }
        let image = Image(
            width: mask.width, height: mask.height, pixels: mask.values.flatMap { [$0, $0, $0] })
        return try await uploads.add(PictureFile(image).encoded(as: .png)).id
    }

    private func answer(
        _ asked: OpenAIRequest, _ request: Request, _ context: ServerContext, kind: String
    ) async throws -> Response {
        // Before the job is there: one whose stream is refused would be handed in again.
        if asked.streams { try streams.checkLimit() }
        let after = queue.events.log.lastID
        let job = try await queue.submit(
            asked.settings, client: context.client(request), api: .openai,
            key: JobStore.Key(of: request, for: asked.settings)
        ).job
        if asked.streams {
            let stream = OpenAIStream(
                queue: queue, streams: streams, files: files, job: job, asked: asked, kind: kind)
            return try stream.response(after: after)
        }
        let ended = try await queue.ended(job.id)
        guard ended.state == .done else { throw APIError(unfinished: ended) }
        let pictures = try await queue.gallery.pictures(of: [job.id])[job.id] ?? []
        // A proxy that clients reach by HTTPS says so.
        let isEncrypted = request.headers[HTTPField.Name("X-Forwarded-Proto")!] == "https"
        let scheme = isEncrypted ? "https" : "http"
        let authority = request.head.authority ?? "127.0.0.1"
        let data: [JSONValue] = try pictures.map { picture in
            if asked.sendsBase64 { return ["b64_json": .string(try asked.base64(picture.id, files))] }
            return ["url": .string("\(scheme)://\(authority)/api/v1/pictures/\(picture.id)/file")]
        }
        return JSONBody([
            "created": JSONValue(Int(job.created.timeIntervalSince1970)), "data": .array(data),
        ]).response()
    }
}

extension APIError {
    /// What is told of a job that is over and not done.
    init(unfinished job: Job) {
        let isRefused = job.state == .cancelled || job.failure?.code == "invalid"
        self.init(
            isRefused ? .badRequest : .internalServerError, job.failure?.code ?? "cancelled",
            job.failure?.message ?? "the job was cancelled")
        isFinal = true
    }
}

extension OpenAIRequest {
    /// A picture's file in base64, in the format that is asked for.
    func base64(_ id: String, _ files: PictureFiles) throws -> String {
        guard let bytes = try files.bytes(of: id) else { throw APIError.notFound("such picture") }
        if format == .png { return bytes.base64EncodedString() }
        let file = try PictureFile(reading: bytes, named: "the picture")
        return try file.encoded(as: format, quality: quality).base64EncodedString()
    }
}
