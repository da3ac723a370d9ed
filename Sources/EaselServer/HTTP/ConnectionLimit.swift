import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Synchronization

/// The connections that are open, and how many may be: files need descriptors too.
final class OpenConnections: Sendable {
    private let count = Mutex(0)
    let limit: Int

    init() { limit = max(OpenFileLimit.current - Self.reserve, 1) }

    /// For the database, pictures, models, and connections that are refused.
    private static let reserve = 96

    /// - Returns: Whether one more may be open; it counts until ``close()`` in either case.
    func open() -> Bool {
        count.withLock { count in
            count += 1
            return count <= limit
        }
    }

    func close() { count.withLock { $0 -= 1 } }
}

/// Answers what is asked on a connection beyond the limit with 503, and closes it.
final class ConnectionLimit: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias OutboundOut = HTTPResponsePart

    private let connections: OpenConnections
    private var isCounted = false
    private var isRefused = false

    init(_ connections: OpenConnections) { self.connections = connections }

    func handlerAdded(context: ChannelHandlerContext) {
        isCounted = true
        isRefused = !connections.open()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        if isCounted { connections.close() }
        isCounted = false
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard isRefused else { return context.fireChannelRead(data) }
        guard case .end = unwrapInboundIn(data) else { return }
        let error = APIError(
            .serviceUnavailable, "too_many_connections", "too many connections are open", retryAfter: 2)
        let body = ByteBuffer(string: EaselErrorShape().body(of: error).text)
        var headers = error.headers
        headers[.contentType] = "application/json"
        headers[.contentLength] = String(body.readableBytes)
        headers[.connection] = "close"
        context.write(
            wrapOutboundOut(.head(HTTPResponse(status: error.status, headerFields: headers))), promise: nil)
        context.write(wrapOutboundOut(.body(body)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.close(promise: nil)
    }
}
