import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// A server of Easel's, from a Swift program: `easel serve` on this machine or another.
///
/// ```swift
/// let client = EaselClient(at: URL(string: "http://127.0.0.1:7860")!)
/// let job = try await client.submit(JobRequest(prompt: "a red apple", steps: 20, seed: 42))
/// for try await event in client.events(of: job.id) {
///     if case .picture(let picture) = event {
///         try await client.file(of: picture).write(to: URL(filePath: "apple.png"))
///     }
/// }
/// ```
public struct EaselClient: Sendable {
    /// Where the server is.
    public let server: URL
    private let token: String?
    private let http: HTTPClient
    /// The most bytes of an answer.
    private static let answerLimit = 256 << 20

    /// - Parameters:
    ///   - server: Its address, without a path.
    ///   - token: What the server wants to be told; nil where it wants nothing.
    ///   - http: What the requests are made with; shared by default.
    public init(at server: URL, token: String? = nil, http: HTTPClient = .shared) {
        self.server = server
        self.token = token
        self.http = http
    }

    /// Hands in what is to be made. When this returns, the server has kept it.
    ///
    /// - Parameter key: The same key and request make one job, however often they are handed in.
    /// - Throws: ``EaselClientError``, `HTTPClientError`.
    public func submit(_ request: JobRequest, key: String? = nil) async throws -> Job {
        try await answer(.POST, "jobs", body: request, headers: key.map { [("Idempotency-Key", $0)] } ?? [])
    }

    /// A job as it is now.
    ///
    /// - Throws: ``EaselClientError`` where there is none, `HTTPClientError`.
    public func job(_ id: String) async throws -> Job { try await answer(.GET, "jobs/\(id)") }

    /// Jobs, newest first.
    ///
    /// - Parameter states: Which; all where it is empty.
    /// - Throws: ``EaselClientError``, `HTTPClientError`.
    public func jobs(_ states: [Job.State] = [], limit: Int = 50) async throws -> [Job] {
        let filter = states.isEmpty ? "" : "&state=" + states.map(\.rawValue).joined(separator: ",")
        return try await (answer(.GET, "jobs?limit=\(limit)\(filter)") as JobList).jobs
    }

    /// Ends a job, whether it waits or runs.
    ///
    /// - Throws: ``EaselClientError`` where it is over, `HTTPClientError`.
    @discardableResult
    public func cancel(_ id: String) async throws -> Job { try await answer(.POST, "jobs/\(id)/cancel") }

    /// The pictures of the gallery, newest first.
    ///
    /// - Parameters:
    ///   - search: Words that begin words of the prompts.
    ///   - picture: The identifier of the picture before which they are.
    /// - Throws: ``EaselClientError``, `HTTPClientError`.
    public func pictures(search: String? = nil, limit: Int = 60, before picture: String? = nil) async throws
        -> [Picture]
    {
        var components = URLComponents()
        components.queryItems = [URLQueryItem(name: "limit", value: String(limit))]
        if let search { components.queryItems?.append(URLQueryItem(name: "search", value: search)) }
        if let picture { components.queryItems?.append(URLQueryItem(name: "before", value: picture)) }
        let query = components.percentEncodedQuery ?? ""
        return try await (answer(.GET, "pictures?\(query)") as PictureList).pictures
    }

    /// A picture's file: PNG, with its settings in it.
    ///
    /// - Throws: ``EaselClientError`` where there is none, `HTTPClientError`.
    public func file(of picture: Picture) async throws -> Data {
        Data(try await bytes(.GET, "pictures/\(picture.id)/file"))
    }

    /// Hands in a picture, to start from or as a mask.
    ///
    /// - Parameter bytes: PNG, JPEG or WebP.
    /// - Returns: What ``JobRequest/initImage`` and ``JobRequest/mask`` take.
    /// - Throws: ``EaselClientError`` for what is not a picture, `HTTPClientError`.
    public func upload(_ bytes: Data) async throws -> String {
        let answer = try await self.bytes(
            .POST, "uploads", body: Array(bytes), headers: [("Content-Type", "application/octet-stream")])
        return try decoded(Upload.self, answer).id
    }

    /// The names of the models that there are.
    ///
    /// - Throws: ``EaselClientError``, `HTTPClientError`.
    public func models() async throws -> [String] {
        try await (answer(.GET, "models") as ModelList).models.map(\.name)
    }

    private struct JobList: Decodable { let jobs: [Job] }
    private struct PictureList: Decodable { let pictures: [Picture] }
    private struct Upload: Decodable { let id: String }
    private struct ModelList: Decodable {
        struct Model: Decodable { let name: String }
        let models: [Model]
    }

    private func answer<Answer: Decodable>(
        _ method: HTTPMethod, _ path: String, body: (some Encodable)? = JobRequest?.none,
        headers: [(String, String)] = []
    ) async throws -> Answer {
        let json = try body.map { try Array(JSONEncoder.snakeCase.encode($0)) }
        let headers = headers + (json == nil ? [] : [("Content-Type", "application/json")])
        return try decoded(Answer.self, try await bytes(method, path, body: json, headers: headers))
    }

    private func decoded<Answer: Decodable>(_ type: Answer.Type, _ bytes: [UInt8]) throws -> Answer {
        do {
            return try JSONDecoder.snakeCase.decode(type, from: Data(bytes))
        } catch {
            throw EaselClientError.notUnderstood(reason: "\(error)")
        }
    }

    private func bytes(
        _ method: HTTPMethod, _ path: String, body: [UInt8]? = nil, headers: [(String, String)] = []
    ) async throws -> [UInt8] {
        let response = try await http.execute(
            try request(method, path, body: body, headers: headers), timeout: .seconds(60))
        let bytes = Array(try await response.body.collect(upTo: Self.answerLimit).readableBytesView)
        try Self.check(response, bytes)
        return bytes
    }

    func request(
        _ method: HTTPMethod, _ path: String, body: [UInt8]? = nil, headers: [(String, String)] = []
    ) throws(HTTPClientError) -> HTTPClientRequest {
        let base = server.absoluteString.hasSuffix("/") ? server.absoluteString : server.absoluteString + "/"
        if let port = server.port, !(1...65535).contains(port) { throw .invalidURL }
        var request = HTTPClientRequest(url: base + "api/v1/" + path)
        request.method = method
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        request.body = body.map { .bytes(ByteBuffer(bytes: $0)) }
        return request
    }

    /// The connection of a stream, which has no end of its own.
    func stream(_ path: String, lastEventID: String?) async throws -> HTTPClientResponse.Body {
        let headers = lastEventID.map { [("Last-Event-ID", $0)] } ?? []
        let response = try await http.execute(
            try request(.GET, path, headers: headers), deadline: .distantFuture)
        if response.status != .ok {
            try Self.check(response, Array(try await response.body.collect(upTo: 1 << 20).readableBytesView))
        }
        return response.body
    }

    /// - Throws: ``EaselClientError`` with what the server says, where it refused.
    private static func check(_ response: HTTPClientResponse, _ bytes: [UInt8]) throws {
        guard !(200..<300).contains(response.status.code) else { return }
        struct Told: Decodable {
            struct Inner: Decodable {
                let code: String
                let message: String
                let field: String?
            }
            let error: Inner
        }
        let told = try? JSONDecoder().decode(Told.self, from: Data(bytes)).error
        throw EaselClientError.refused(
            status: Int(response.status.code), code: told?.code ?? "unknown",
            message: told?.message ?? response.status.reasonPhrase, field: told?.field,
            retryAfter: response.headers["retry-after"].first.flatMap { Int($0) })
    }
}

extension JSONEncoder {
    fileprivate static var snakeCase: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return encoder
    }
}

extension JSONDecoder {
    static var snakeCase: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }
}

/// Why the server did not do what it was asked.
public enum EaselClientError: Error, Sendable, Hashable, CustomStringConvertible {
    /// It said no; `retryAfter` is in seconds.
    case refused(status: Int, code: String, message: String, field: String?, retryAfter: Int?)
    /// Its answer is not one of Easel's.
    case notUnderstood(reason: String)

    public var description: String {
        switch self {
        case .refused(let status, _, let message, _, let retryAfter):
            "the server refuses (\(status)): \(message)"
                + (retryAfter.map { "; ask again in \($0) s" } ?? "")
        case .notUnderstood(let reason):
            "the answer is not one of an Easel server, or of another version: \(reason)"
        }
    }
}
