import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// Requests of the hub, with its rules of redirects, tokens and patience.
struct HubConnection: Sendable {
    let client: HTTPClient
    let environment: HubEnvironment
    /// How long the first pause is, where the hub asks for patience and does not say how much.
    var pause: Duration = .seconds(1)

    private static let attempts = 5
    private static let redirectLimit = 10

    /// What an answer is followed to.
    enum Redirects {
        /// Only by a path alone, as huggingface_hub does: what a file is, the hub says where it names a whole address.
        case relative
        case withinHost
        /// To any host, where the token does not go.
        case anywhere
    }

    /// An answer, and where it came from in the end.
    struct Answer {
        let response: HTTPClientResponse
        let url: URL
        /// How many times it was asked, where each time the answer was to ask again later.
        var attempts = 1

        var isSuccess: Bool { (200..<300).contains(response.status.code) }

        func header(_ name: String) -> String? { response.headers.first(name: name) }
    }

    /// Sends a request until there is an answer that is neither a redirect nor a plea for patience.
    ///
    /// - Parameters:
    ///   - range: The byte from which on the file is wanted.
    ///   - isRepeated: Whether a server that cannot be reached is asked again.
    /// - Throws: ``HubError``.
    func send(
        _ method: HTTPMethod, _ start: URL, redirects: Redirects, range: Int? = nil, isRepeated: Bool = true
    ) async throws -> Answer {
        if let fault = start.fault {
            throw HubError.malformed(url: start.shown, reason: "the address \(fault)")
        }
        var url = start
        for _ in 0..<Self.redirectLimit {
            let answer = try await patiently(
                method, url, isFirstHost: url.host == start.host, range: range,
                isRepeated: isRepeated)
            guard (300..<400).contains(answer.response.status.code), answer.response.status != .notModified,
                let location = answer.header("location"), let target = try url.redirected(to: location)
            else { return answer }
            if redirects == .relative, URL(string: location)?.host != nil { return answer }
            if redirects == .withinHost, target.host != start.host || target.port != start.port {
                return answer
            }
            url = target
        }
        throw HubError.tooManyRedirects(url: start.shown)
    }

    private func patiently(
        _ method: HTTPMethod, _ url: URL, isFirstHost: Bool, range: Int?, isRepeated: Bool
    ) async throws -> Answer {
        var wait = pause
        var attempt = 1
        while true {
            var request = HTTPClientRequest(url: url.absoluteString)
            request.method = method
            request.headers.add(name: "User-Agent", value: "easel")
            request.headers.add(name: "Accept-Encoding", value: "identity")
            if let token = environment.token, isFirstHost, url.host == environment.endpoint.host,
                url.port == environment.endpoint.port, url.scheme == environment.endpoint.scheme
            {
                request.headers.add(name: "Authorization", value: "Bearer \(token)")
            }
            if let range, range > 0 { request.headers.add(name: "Range", value: "bytes=\(range)-") }
            let response: HTTPClientResponse
            do {
                response = try await client.execute(request, timeout: .hours(24))
            } catch {
                if Task.isCancelled { throw CancellationError() }
                // What was said once of a certificate stays so.
                if "\(error)".contains("CERTIFICATE_VERIFY_FAILED") {
                    throw HubError.untrusted(url: url.shown)
                }
                guard isRepeated, attempt < Self.attempts else {
                    throw HubError.connection(url: url.shown, reason: "\(error)")
                }
                try await Task.sleep(for: wait)
                (attempt, wait) = (attempt + 1, wait * 2)
                continue
            }
            guard Self.isBusy(Int(response.status.code)), attempt < Self.attempts else {
                return Answer(response: response, url: url, attempts: attempt)
            }
            let asked =
                response.headers.first(name: "retry-after").flatMap { HubHeader.delay($0) }
                ?? response.headers.first(name: "ratelimit").flatMap { HubHeader.delay(ofLimit: $0) }
            try await Task.sleep(for: asked ?? wait)
            (attempt, wait) = (attempt + 1, wait * 2)
        }
    }

    /// Whether an answer is to ask again later.
    private static func isBusy(_ status: Int) -> Bool { [429, 502, 503, 504].contains(status) }

    /// What an answer that is no success says.
    func failure(_ answer: Answer, repository: RepositoryReference?, file: String?) -> HubError {
        let hasToken = environment.token != nil
        let status = Int(answer.response.status.code)
        if Self.isBusy(status) {
            return .busy(
                status, url: answer.url.shown, attempts: answer.attempts, hasToken: hasToken)
        }
        guard let repository else {
            return .status(status, url: answer.url.shown)
        }
        let id = repository.id
        switch answer.header("x-error-code") {
        case "RepoNotFound": return .noRepository(id, hasToken: hasToken)
        case "RevisionNotFound":
            return .noRevision(repository: id, revision: repository.revision)
        case "EntryNotFound" where file != nil: return .noFile(file ?? "", repository: id)
        case "GatedRepo": return .gated(id, hasToken: hasToken)
        default: break
        }
        switch answer.response.status.code {
        case 401: return .noRepository(id, hasToken: hasToken)
        // A storage host's refusal is not the hub's.
        case 403 where answer.url.host == environment.endpoint.host: return .gated(id, hasToken: hasToken)
        case 404:
            return file.map { .noFile($0, repository: id) } ?? .noRepository(id, hasToken: hasToken)
        default: return .status(status, url: answer.url.shown)
        }
    }
}
