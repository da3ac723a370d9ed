import HTTPTypes
import Hummingbird

/// What a client is told when its request is not met: a status, a word for programs and a sentence for people. Nothing in
/// it is of the machine.
struct APIError: Error, Sendable, Hashable {
    let status: HTTPResponse.Status
    let code: String
    let message: String
    /// The field of the request that is wrong.
    var field: String?
    /// After how many seconds it may be asked again.
    var retryAfter: Int?
    /// The methods that there are, where another was used.
    var allowed: [HTTPRequest.Method] = []
    /// Whether the connection ends, since the request was not read to its end.
    var closes = false
    /// How many bytes there are, where others were asked for.
    var byteCount: Int?
    /// Whether asking again would only do the same work once more: OpenAI's clients do so by themselves otherwise.
    var isFinal = false

    init(
        _ status: HTTPResponse.Status, _ code: String, _ message: String, field: String? = nil,
        retryAfter: Int? = nil
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.retryAfter = retryAfter
    }

    static func notFound(_ what: String) -> APIError {
        APIError(.notFound, "not_found", "there is no \(what)")
    }

    static func invalid(_ field: String?, _ message: String) -> APIError {
        APIError(.badRequest, "invalid", message, field: field)
    }

    /// The headers that say more than the body.
    var headers: HTTPFields {
        var headers = HTTPFields()
        if let retryAfter { headers[.retryAfter] = String(retryAfter) }
        if !allowed.isEmpty { headers[.allow] = allowed.map(\.rawValue).sorted().joined(separator: ", ") }
        if status == .unauthorized { headers[.wwwAuthenticate] = "Bearer, Basic realm=\"easel\"" }
        if let byteCount { headers[.contentRange] = "bytes */\(byteCount)" }
        if closes { headers[.connection] = "close" }
        if isFinal { headers[HTTPField.Name("X-Should-Retry")!] = "false" }
        return headers
    }
}

/// How errors are written for a group of routes: each API has its own shape.
protocol ErrorShape: Sendable {
    /// - Parameter error: Without anything of the machine.
    func body(of error: APIError) -> JSONBody
}
