import Foundation
import Hummingbird
import NIOCore

/// The API's description, and the server's figures.
struct DescriptionRoutes: Sendable {
    let metrics: PrometheusMetrics?
    let queue: JobQueue
    let streams: EventStreams

    func add(to router: Router<ServerContext>) {
        router.get("api/v1/openapi.json") { request, _ in try description("openapi.json", request) }
        router.get("openapi.json") { request, _ in try description("a1111-openapi.json", request) }
        router.get("docs") { _, _ in Response.redirect(to: "/openapi.json", type: .normal) }
        router.get("metrics") { request, _ in
            guard let metrics else { throw APIError.notFound("such path") }
            let waiting = try await queue.store.queue().count
            return Response(
                status: .ok,
                headers: [
                    .contentType: "text/plain; version=0.0.4; charset=utf-8", .cacheControl: "no-store",
                ],
                body: ResponseBody(
                    byteBuffer: ByteBuffer(
                        string: metrics.text + """
                            # TYPE easel_jobs_queued gauge
                            easel_jobs_queued \(waiting)
                            # TYPE easel_jobs_running gauge
                            easel_jobs_running \(queue.runner.progress == nil ? 0 : 1)
                            # TYPE easel_event_streams gauge
                            easel_event_streams \(streams.count)
                            # TYPE process_resident_memory_bytes gauge
                            process_resident_memory_bytes \(ProcessMemory.resident ?? 0)

                            """)))
        }
    }

    private func description(_ name: String, _ request: Request) throws -> Response {
        guard let bytes = ServerResources.bytes(name) else { throw APIError.notFound("such path") }
        return try BytesResponse.response(
            bytes, type: "application/json; charset=utf-8", tag: PictureFiles.identifier(of: bytes),
            to: request,
            isImmutable: false)
    }
}
