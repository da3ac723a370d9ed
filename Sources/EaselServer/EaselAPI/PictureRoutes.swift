import Checkpoints
import Foundation
import Hummingbird
import Imaging

/// `/api/v1/pictures` and `/api/v1/uploads`: what was made, and what is started from.
struct PictureRoutes: Sendable {
    let gallery: Gallery
    let uploads: Uploads
    let files: PictureFiles
    let thumbnails: PictureFiles
    let limits: ServerLimits

    func add(to api: RouterGroup<ServerContext>) {
        api.get("pictures", use: list)
        api.get("pictures/{id}", use: show)
        api.patch("pictures/{id}", use: annotate)
        api.delete("pictures/{id}", use: delete)
        api.post("pictures/{id}/restore", use: restore)
        api.get("pictures/{id}/file", use: file)
        api.get("pictures/{id}/thumbnail", use: thumbnail)
        api.get("tags", use: tags)
        api.post("uploads", use: upload)
        api.get("uploads/{id}/file", use: uploadedFile)
    }

    struct PictureList: Encodable {
        let pictures: [PictureView]
        let next: String?

        init(_ pictures: [StoredPicture], limit: Int) {
            self.pictures = pictures.map { PictureView($0) }
            // Not by its identifier, which is gone when the picture is deleted before the next page is asked for.
            next = pictures.count == limit ? pictures.last?.serial.map { String($0) } : nil
        }
    }

    @Sendable func list(_ request: Request, _ context: ServerContext) async throws -> Response {
        let query = try Query(request, ["search", "tag", "favourite", "trashed", "limit", "before"])
        var asked = Gallery.Query()
        asked.search = query["search"]
        asked.tag = query["tag"]
        asked.favourite = try query.flag("favourite")
        asked.trashed = try query.flag("trashed")
        asked.limit = try query.number("limit", 1...200, default: 60)
        asked.before = query["before"]
        return try JSONBody(encoding: PictureList(await gallery.pictures(asked), limit: asked.limit))
            .response()
    }

    @Sendable func show(_ request: Request, _ context: ServerContext) async throws -> Response {
        try answer(await gallery.picture(context.parameter("id")))
    }

    private struct Annotation: Decodable {
        let favourite: Bool?
        let tags: [String]?
    }

    @Sendable func annotate(_ request: Request, _ context: ServerContext) async throws -> Response {
        let change = try await JSONRequest.decoded(
            Annotation.self, of: request, limit: 64 << 10, fields: FieldNames(names: ["favourite", "tags"]))
        let tags = try change.tags.map { tags in
            guard tags.count <= 32 else { throw APIError.invalid("tags", "a picture has at most 32 tags") }
            return try tags.map { tag in
                let tag = tag.trimmingCharacters(in: .whitespacesAndNewlines)
                guard (1...64).contains(tag.unicodeScalars.count), !tag.contains(where: \.isNewline),
                    !tag.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
                else { throw APIError.invalid("tags", "a tag is one line of 1 to 64 characters") }
                return tag
            }
        }
        return try answer(
            await gallery.annotate(context.parameter("id"), favourite: change.favourite, tags: tags))
    }

    @Sendable func delete(_ request: Request, _ context: ServerContext) async throws -> Response {
        let id = try context.parameter("id")
        guard try Query(request, ["forever"]).flag("forever") else {
            return try answer(await gallery.trash(id, true))
        }
        guard let picture = try await gallery.picture(id) else { throw APIError.notFound("such picture") }
        guard picture.trashed != nil, try await gallery.delete(id, deleting: { try files.delete(id) }) else {
            throw APIError(
                .conflict, "not_trashed", "only what is in the trash is deleted; delete it once first")
        }
        thumbnails.remove(id)
        return Response(status: .noContent)
    }

    @Sendable func restore(_ request: Request, _ context: ServerContext) async throws -> Response {
        try answer(await gallery.trash(context.parameter("id"), false))
    }

    @Sendable func file(_ request: Request, _ context: ServerContext) async throws -> Response {
        try bytes(of: context.parameter("id"), in: files, "image/png", request)
    }

    @Sendable func thumbnail(_ request: Request, _ context: ServerContext) async throws -> Response {
        let id = try context.parameter("id")
        // One that the picture's own file must make good for: a full disk may have kept it from being written.
        if PictureFiles.isIdentifier(id), try thumbnails.bytes(of: id) == nil,
            let bytes = try files.bytes(of: id)
        {
            let image = try PictureFile(reading: bytes, named: "the picture", pixelLimit: limits.pixels).image
            let small = try Thumbnail.bytes(of: image)
            try? thumbnails.save(small, as: id)
            return try BytesResponse.response(small, type: "image/jpeg", tag: "\(id)-s", to: request)
        }
        return try bytes(of: id, in: thumbnails, "image/jpeg", request)
    }

    @Sendable func uploadedFile(_ request: Request, _ context: ServerContext) async throws -> Response {
        let id = try context.parameter("id")
        let type = try uploads.files.bytes(of: id).flatMap { PictureFormat($0) }?.mediaType
        return try bytes(of: id, in: uploads.files, type ?? "application/octet-stream", request)
    }

    private func bytes(
        of id: String, in files: PictureFiles, _ type: String, _ request: Request
    ) throws -> Response {
        guard let bytes = try files.bytes(of: id) else { throw APIError.notFound("such picture") }
        return try BytesResponse.response(bytes, type: type, tag: id, to: request)
    }

    private func answer(_ picture: StoredPicture?) throws -> Response {
        guard let picture else { throw APIError.notFound("such picture") }
        return try JSONBody(encoding: PictureView(picture)).response()
    }

    @Sendable func tags(_ request: Request, _ context: ServerContext) async throws -> Response {
        let tags: [JSONValue] = try await gallery.tags().map {
            ["name": .string($0.name), "count": JSONValue($0.count)]
        }
        return JSONBody(["tags": .array(tags)]).response()
    }

    private struct UploadView: Encodable {
        let id: String
        let width: Int
        let height: Int
        let settings: JobSettings?
        let parameters: String?
    }

    @Sendable func upload(_ request: Request, _ context: ServerContext) async throws -> Response {
        let type = request.headers[.contentType]?.split(separator: ";").first.map(String.init) ?? ""
        guard type.hasPrefix("image/") || type == "application/octet-stream" else {
            throw APIError(
                .unsupportedMediaType, "unsupported_media_type",
                "the body is a picture: image/png, image/jpeg or image/webp")
        }
        let bytes = Data(try await BodyBytes.all(of: request, limit: limits.bodyBytes))
        let upload = try await uploads.add(bytes)
        let notes = upload.picture.notes
        let view = UploadView(
            id: upload.id, width: upload.picture.image.width, height: upload.picture.image.height,
            settings: JobSettings(notes), parameters: notes.parameters)
        return try JSONBody(encoding: view).response(
            .created, headers: [.location: "/api/v1/uploads/\(upload.id)/file"])
    }
}

extension PictureFormat {
    /// RFC 2046's name.
    var mediaType: String {
        switch self {
        case .png: "image/png"
        case .jpeg: "image/jpeg"
        case .webP: "image/webp"
        }
    }
}
