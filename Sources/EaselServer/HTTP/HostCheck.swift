import HTTPTypes
import Hummingbird
import NIOCore

/// Refuses requests that name another host, as pages do whose name was made to mean this machine (DNS rebinding), and
/// requests that change something and come from pages of others (cross-site request forgery).
struct HostCheck: RouterMiddleware {
    /// Names besides addresses and `localhost`.
    let names: Set<String>
    /// Whether only this machine can connect.
    let isLoopback: Bool
    /// Pages of other origins that may use this server, as `https://example.org`.
    let origins: Set<String>

    func handle(
        _ request: Request, context: ServerContext,
        next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        guard let authority = request.head.authority, let host = Self.host(of: authority), isKnown(host)
        else {
            throw APIError(
                .misdirectedRequest, "wrong_host",
                "this server is not known by that name; --allow-host NAME makes it so")
        }
        let isSafe = [.get, .head, .options].contains(request.method)
        if !isSafe { try checkOrigin(of: request, authority) }
        return try await next(request, context)
    }

    private func checkOrigin(of request: Request, _ authority: String) throws {
        let site = request.headers[HTTPField.Name("Sec-Fetch-Site")!]
        let origin = request.headers[.origin]
        if let origin {
            if origins.contains(origin) || origin == "http://\(authority)" || origin == "https://\(authority)"
            {
                return
            }
        } else if site == nil || site == "same-origin" || site == "none" {
            return
        }
        throw APIError(
            .forbidden, "wrong_origin",
            "requests from pages of another origin are refused; --allow-origin ORIGIN lets one in")
    }

    private func isKnown(_ host: String) -> Bool {
        if ["localhost", "127.0.0.1", "::1"].contains(host) || names.contains(host) { return true }
        // An address cannot be made to mean another machine, a name can.
        return !isLoopback && Self.isAddress(host)
    }

    /// The host of `host:port`, `[v6]:port` and the same without a port, in lower case.
    static func host(of authority: String) -> String? {
        let text = authority.lowercased()
        func isPort(_ text: Substring) -> Bool {
            text.isEmpty || (text.first == ":" && UInt16(text.dropFirst()) != nil)
        }
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]"), isPort(text[text.index(after: end)...]) else {
                return nil
            }
            return String(text[text.index(after: text.startIndex)..<end])
        }
        let end = text.firstIndex(of: ":") ?? text.endIndex
        guard isPort(text[end...]), end > text.startIndex else { return nil }
        let host = String(text[..<end])
        return host.hasSuffix(".") ? String(host.dropLast()) : host
    }

    private static func isAddress(_ host: String) -> Bool {
        (try? SocketAddress(ipAddress: host, port: 0)) != nil
    }
}
