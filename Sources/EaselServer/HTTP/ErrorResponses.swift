import Checkpoints
import Foundation
import GRDB
import Hummingbird
import Imaging
import Logging

/// Turns errors into answers, in the shape of the API that was asked.
struct ErrorResponses: RouterMiddleware {
    /// The paths and methods that there are; said once they are all known.
    let routes: KnownRoutes
    let logger: Logger

    func handle(
        _ request: Request, context: ServerContext,
        next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            let told = apiError(error, request)
            return Self.shape(of: request.uri.path).body(of: told)
                .response(told.status, headers: told.headers)
        }
    }

    private func apiError(_ error: any Error, _ request: Request) -> APIError {
        switch error {
        case let error as APIError: return error
        case let error as HTTPError where error.status == .notFound:
            let methods = routes.methods(at: request.uri.path)
            guard !methods.isEmpty else { return .notFound("such path") }
            var told = APIError(
                .methodNotAllowed, "method_not_allowed", "\(request.method.rawValue) is not possible here")
            told.allowed = methods
            return told
        case let error as HTTPError:
            return APIError(error.status, "invalid", error.body ?? error.status.reasonPhrase)
        case ImageError.notReadable(_, let reason):
            return APIError(.badRequest, "not_a_picture", "the picture cannot be read: \(reason)")
        case let error as ImageError: return storageFull(error)
        case let error as DatabaseError
        where Self.diskResults.contains(error.resultCode.primaryResultCode): return storageFull(error)
        case let error as FileError:
            logger.error("a file cannot be read", metadata: ["reason": "\(error)"])
            return APIError(
                .serviceUnavailable, "unreadable", PublicMessage.text(of: error), retryAfter: 10)
        case let error as CocoaError where error.code == .fileWriteOutOfSpace: return storageFull(error)
        case is CancellationError:
            return APIError(.serviceUnavailable, "ending", "the server is about to end", retryAfter: 5)
        default:
            logger.error(
                "a request failed",
                metadata: ["path": "\(request.uri.path)", "reason": "\(error)"])
            return APIError(.internalServerError, "internal", "the server has a fault; its log says which")
        }
    }

    /// What SQLite says where the disk, or the system, does not do its part.
    private static let diskResults: [ResultCode] = [
        .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_BUSY, .SQLITE_CANTOPEN, .SQLITE_NOMEM,
    ]

    private func storageFull(_ error: any Error) -> APIError {
        logger.error("nothing can be written", metadata: ["reason": "\(error)"])
        return APIError(
            .serviceUnavailable, "storage", "the server cannot write to its disk; is it full?", retryAfter: 10
        )
    }

    /// Each API writes its errors as its clients read them.
    static func shape(of path: String) -> any ErrorShape {
        if path.hasPrefix("/sdapi/") || path.hasPrefix("/internal/") { return A1111ErrorShape() }
        if path.hasPrefix("/v1/") { return OpenAIErrorShape() }
        return EaselErrorShape()
    }
}

/// Errors of Easel's own API: `{"error": {"code", "message", "field"}}`.
struct EaselErrorShape: ErrorShape {
    func body(of error: APIError) -> JSONBody {
        JSONBody([
            "error": [
                "code": .string(error.code), "message": .string(error.message),
                "field": error.field.map { .string($0) } ?? .null,
            ]
        ])
    }
}

/// The paths that there are, to tell a wrong method from a wrong path.
struct KnownRoutes: Sendable {
    private let routes: [(path: [Substring], method: HTTPRequest.Method)]

    /// - Parameter routes: Paths with `{name}` for any part.
    init(_ routes: [(path: String, method: HTTPRequest.Method)]) {
        self.routes = routes.map { ($0.path.split(separator: "/"), $0.method) }
    }

    func methods(at path: String) -> [HTTPRequest.Method] {
        let parts = path.split(separator: "/")
        return routes.filter { route in
            route.path.count == parts.count
                && zip(route.path, parts).allSatisfy { $0 == $1 || $0.hasPrefix("{") || $0.hasPrefix(":") }
        }.map(\.method)
    }
}
