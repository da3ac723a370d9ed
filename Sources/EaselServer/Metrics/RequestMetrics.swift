import HTTPTypes
import Hummingbird
import Metrics

/// Counts requests and how long their answers took, by path and status.
struct RequestMetrics: RouterMiddleware {
    func handle(
        _ request: Request, context: ServerContext,
        next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        let response = try await next(request, context)
        let dimensions = [
            // The path as it was declared, so that there are as many as there are paths.
            ("path", context.endpointPath ?? "none"), ("method", Self.known(request.method)),
            ("status", String(response.status.code)),
        ]
        Counter(label: "easel_http_requests_total", dimensions: dimensions).increment()
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        Timer(label: "easel_http_request_seconds", dimensions: [dimensions[0]]).recordSeconds(seconds)
        return response
    }

    private static func known(_ method: HTTPRequest.Method) -> String {
        [.get, .head, .post, .put, .patch, .delete, .options].contains(method) ? method.rawValue : "other"
    }
}
