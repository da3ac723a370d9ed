import Checkpoints
import Crypto
import Foundation
import Hummingbird

/// Lets in those who know the token, where there is one: by `Authorization: Bearer`, as the password of HTTP Basic, or by
/// the cookie that the studio's login sets.
struct TokenCheck: RouterMiddleware {
    static let cookieName = "easel_session"
    let token: String?

    /// What is open to all: whether the server lives, and what the login page is made of.
    private static let open = ["/healthz", "/readyz", "/login", "/favicon.ico"]

    func handle(
        _ request: Request, context: ServerContext,
        next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        let path = request.uri.path
        guard let token, !Self.open.contains(path), !path.hasPrefix("/studio/") else {
            return try await next(request, context)
        }
        guard Self.isKnown(request, token) else {
            if path == "/", request.method == .get { return .redirect(to: "/login", type: .normal) }
            throw APIError(
                .unauthorized, "unauthorized", "the token is missing or wrong: Authorization: Bearer TOKEN")
        }
        return try await next(request, context)
    }

    /// The cookie's value: it says that its holder knew the token, and is not the token.
    static func session(of token: String) -> String {
        HMAC<SHA256>.authenticationCode(
            for: Data("easel studio".utf8), using: SymmetricKey(data: Data(token.utf8))
        ).hexadecimal
    }

    /// Either is enough: a header may be another's, as that of a proxy which asks for a password of its own.
    private static func isKnown(_ request: Request, _ token: String) -> Bool {
        if let header = request.headers[.authorization], isKnown(header, token) { return true }
        return request.cookies[cookieName].map { isEqual($0.value, session(of: token)) } ?? false
    }

    /// Whether the value of an `Authorization` has the token.
    private static func isKnown(_ header: String, _ token: String) -> Bool {
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { return false }
        switch parts[0].lowercased() {
        case "bearer": return isEqual(String(parts[1]), token)
        case "basic":
            let pair = Data(base64Encoded: String(parts[1])).map { String(decoding: $0, as: UTF8.self) }
            return isEqual(pair?.split(separator: ":", maxSplits: 1).last.map(String.init) ?? "", token)
        default: return false
        }
    }

    /// Compares in a time that does not tell how much is right.
    static func isEqual(_ given: String, _ known: String) -> Bool {
        let (a, b) = (SHA256.hash(data: Data(given.utf8)), SHA256.hash(data: Data(known.utf8)))
        return zip(a, b).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
