import Checkpoints
import Easel
import Foundation
import Hummingbird
import Imaging

/// `/sdapi/v1/txt2img` and `img2img`: the answer comes when the pictures are made.
struct A1111GenerationRoutes: Sendable {
    let queue: JobQueue
    let uploads: Uploads
    let files: PictureFiles
    let options: A1111Options
    let styles: @Sendable () -> [PromptStyle]
    /// How pictures are fetched that are given by address; nil where they are refused.
    let remote: RemotePicture?

    func add(to api: RouterGroup<ServerContext>) {
        api.post("txt2img") { try await answer($0, $1, isFromPicture: false) }
        api.post("img2img") { try await answer($0, $1, isFromPicture: true) }
    }

    private func answer(
        _ request: Request, _ context: ServerContext, isFromPicture: Bool
    ) async throws -> Response {
        let fields = try await A1111Fields(of: request, limit: queue.limits.bodyBytes)
        let asked = try await A1111Settings(
            fields, options: options, styles: styles(), isFromPicture: isFromPicture
        ) { field, base64 in
            if let remote, base64.hasPrefix("http://") || base64.hasPrefix("https://") {
                return try await uploads.add(remote.bytes(at: base64, field: field)).id
            }
            return try await uploads.add(Base64Picture.bytes(base64, field: field)).id
        }
        let job: Job
        do {
            job = try await queue.submit(asked.settings, client: context.client(request), api: .a1111).job
        } catch let error as APIError where error.status == .badRequest {
            throw APIError(.unprocessableContent, error.code, error.message, field: error.field)
        }
        let ended = try await queue.ended(job.id)
        if ended.state == .failed {
            let failure = ended.failure
            throw APIError(
                failure?.code == "invalid" ? .unprocessableContent : .internalServerError,
                failure?.code ?? "failed", failure?.message ?? "the pictures could not be made")
        }
        let pictures = try await queue.gallery.pictures(of: [job.id])[job.id] ?? []
        let images = asked.sendsImages ? try pictures.map { try image(of: $0) } : []
        let model = pictures.first?.model ?? ended.settings.model ?? ""
        let hash = await queue.shelf.hashes(ofModel: model)?.shortHash
        let info = A1111Info(job: ended, pictures: pictures, request: asked, modelHash: hash).text
        return JSONBody([
            "images": .array(images.map { .string($0) }),
            "parameters": fields.echo(without: ["init_images", "mask"]), "info": .string(info),
        ]).response()
    }

    /// The picture's file in base64, in the format that the options say.
    private func image(of picture: StoredPicture) throws -> String {
        guard let bytes = try files.bytes(of: picture.id) else {
            throw APIError.notFound("picture \(picture.id)")
        }
        let format: PictureFormat? =
            switch options.text("samples_format") {
            case "jpg", "jpeg": .jpeg
            case "webp": .webP
            default: nil
            }
        guard let format else { return bytes.base64EncodedString() }
        let file = try PictureFile(reading: bytes, named: "the picture")
        let quality = min(max(options.integer("jpeg_quality") ?? 80, 1), 100)
        return try file.encoded(as: format, quality: quality).base64EncodedString()
    }
}

/// Pictures as clients put them into JSON.
enum Base64Picture {
    /// - Parameter text: Base64, bare or as a `data:` address.
    /// - Throws: ``APIError`` where it is not base64, or an address that would have to be asked for.
    static func bytes(_ text: String, field: String) throws -> Data {
        var base64 = text[...]
        if text.hasPrefix("data:") {
            guard let comma = text.firstIndex(of: ","), text[..<comma].hasSuffix(";base64"),
                text.hasPrefix("data:image/")
            else { throw invalid(field, "a data: address of a picture in base64 is wanted") }
            base64 = text[text.index(after: comma)...]
        } else if text.hasPrefix("http:") || text.hasPrefix("https:") || text.hasPrefix("file:") {
            throw invalid(field, "addresses of pictures are not followed; send the picture itself in base64")
        }
        guard let bytes = Data(base64Encoded: String(base64), options: .ignoreUnknownCharacters),
            !bytes.isEmpty
        else { throw invalid(field, "Invalid encoded image") }
        return bytes
    }

    private static func invalid(_ field: String, _ message: String) -> APIError {
        APIError(.unprocessableContent, "not_a_picture", message, field: field)
    }
}
