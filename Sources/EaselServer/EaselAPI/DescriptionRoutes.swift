import Foundation
import Hummingbird
import NIOCore

/// The API's description, and the server's figures.
struct DescriptionRoutes: Sendable {
    let metrics: PrometheusMetrics?
    let queue: JobQueue
    let streams: EventStreams

    func add(to router: Router<ServerContext>) {
        router.get("api/v1/openapi.json") { request, _ in try answer(.easel, request) }
        router.get("openapi.json") { request, _ in try answer(.a1111, request) }
        router.get("docs") { request, _ in
            guard let page = Description.page else { throw APIError.notFound("such path") }
            return try BytesResponse.response(
                page.bytes, type: "text/html; charset=utf-8", tag: page.tag, to: request, isImmutable: false)
        }
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
                            easel_jobs_running \(queue.runner.running.count)
                            # TYPE easel_event_streams gauge
                            easel_event_streams \(streams.count)
                            # TYPE process_resident_memory_bytes gauge
                            process_resident_memory_bytes \(ProcessMemory.resident ?? 0)

                            """)))
        }
    }

    private func answer(_ description: Description?, _ request: Request) throws -> Response {
        guard let description else { throw APIError.notFound("such path") }
        return try BytesResponse.response(
            description.bytes, type: "application/json; charset=utf-8", tag: description.tag, to: request,
            isImmutable: false)
    }
}
