import Checkpoints
import Foundation
import Hummingbird
import NIOCore

/// The studio: a page at `/`, and what it is made of.
struct StudioRoutes: Sendable {
    let queue: JobQueue
    let catalogue: CatalogueRoutes
    let gallery: Gallery
    let token: String?

    func add(to router: Router<ServerContext>) {
        router.get("/", use: page)
        router.get("login") { request, _ in try asset("login.html", request) }
        router.post("login", use: login)
        router.get("favicon.ico") { request, _ in try asset("icon.svg", request) }
        router.get("studio/{name}") { request, context in try asset(context.parameter("name"), request) }
    }

    private func asset(_ name: String, _ request: Request) throws -> Response {
        guard let asset = StudioAssets.all[name] else { throw APIError.notFound("such path") }
        return try BytesResponse.response(
            asset.bytes, type: asset.type, tag: asset.tag, to: request, isImmutable: false)
    }

    /// The page with what it is painted with first in it, so that it need not ask: its style, the theme that was chosen, and
    /// what it shows.
    @Sendable private func page(_ request: Request, _ context: ServerContext) async throws -> Response {
        guard let page = StudioAssets.page else { throw APIError.notFound("such path") }
        let shown = try await gallery.pictures(Gallery.Query(limit: 30))
        let pictures = try JSONBody(encoding: PictureRoutes.PictureList(shown, limit: 30)).text
        // The running ones are the oldest, which a list of the newest would leave out.
        let waiting = try await queue.store.jobs([.queued], limit: 50, before: nil)
        let running = try await queue.store.jobs([.running], limit: 50, before: nil)
        let jobs = try JSONBody(encoding: await queue.views(waiting + running)).text
        var fields: [(String, String)] = [
            ("status", try await catalogue.status().line), ("limits", catalogue.limits.line),
            ("pictures", pictures), ("jobs", jobs),
        ]
        let lists = [
            await catalogue.models(), CatalogueRoutes.samplers, CatalogueRoutes.schedules,
            ["loras": catalogue.names(.lora), "embeddings": catalogue.names(.embedding)],
        ]
        for case .object(let object) in lists {
            fields += object.members.map { ($0.key, $0.value.line) }
        }
        let initial = "{" + fields.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
        // Nothing in it ends the element that it stands in.
        let safe = initial.replacingOccurrences(of: "<", with: "\\u003c")
        let chosen = request.cookies["easel-theme"]?.value
        let theme = chosen.flatMap { ["light", "dark"].contains($0) ? " data-theme=\($0)" : nil } ?? ""
        let text = page.start + theme + page.middle + safe + page.end
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
                .contentSecurityPolicy: AnswerHeaders.policy(style: page.styleHash),
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    @Sendable private func login(_ request: Request, _ context: ServerContext) async throws -> Response {
        let body = try await BodyBytes.all(of: request, limit: 4096)
        let fields = URLComponents(
            string: "?"
                + String(decoding: body, as: UTF8.self).replacingOccurrences(of: "+", with: " ")
                .replacingOccurrences(of: " ", with: "%20"))
        let given = fields?.queryItems?.first { $0.name == "token" }?.value ?? ""
        guard let token, TokenCheck.isEqual(given, token) else {
            return .redirect(to: token == nil ? "/" : "/login?wrong=1")
        }
        var response = Response.redirect(to: "/")
        response.setCookie(
            Cookie(
                name: TokenCheck.cookieName, value: TokenCheck.session(of: token), maxAge: 30 * 24 * 3600,
                path: "/", secure: false, httpOnly: true, sameSite: .strict))
        return response
    }
}
