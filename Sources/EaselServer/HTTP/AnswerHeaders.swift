import HTTPTypes
import Hummingbird

/// What every answer says to browsers, and how long it took.
struct AnswerHeaders: RouterMiddleware {
    /// What a page may load and run.
    ///
    /// - Parameter style: The hash of a style that stands in the page, as `sha256-…`.
    static func policy(style: String? = nil) -> String {
        "default-src 'none'; script-src 'self'; style-src 'self'\(style.map { " '\($0)'" } ?? ""); "
            + "img-src 'self' blob: data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
            + "frame-ancestors 'none'"
    }

    /// Pages of other origins that may use this server.
    let origins: Set<String>

    func handle(
        _ request: Request, context: ServerContext,
        next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        let origin = request.headers[.origin].flatMap { origins.contains($0) ? $0 : nil }
        var response: Response
        if origin != nil, request.method == .options {
            response = Response(status: .noContent)
            response.headers[.accessControlAllowMethods] = "GET, POST, PATCH, DELETE"
            response.headers[.accessControlAllowHeaders] =
                "Authorization, Content-Type, Idempotency-Key, Easel-Client, Last-Event-ID"
        } else {
            response = try await next(request, context)
        }
        if let origin {
            response.headers[.accessControlAllowOrigin] = origin
            response.headers[.vary] = "Origin"
        }
        if response.headers[.contentSecurityPolicy] == nil {
            response.headers[.contentSecurityPolicy] = Self.policy()
        }
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[HTTPField.Name("Referrer-Policy")!] = "same-origin"
        response.headers[HTTPField.Name("Cross-Origin-Opener-Policy")!] = "same-origin"
        response.headers[HTTPField.Name("Cross-Origin-Resource-Policy")!] =
            origin == nil ? "same-origin" : "cross-origin"
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        response.headers[HTTPField.Name("X-Process-Time")!] = String(seconds)
        return response
    }
}
