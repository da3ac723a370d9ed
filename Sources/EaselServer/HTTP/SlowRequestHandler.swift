import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Ends connections on which a request does not come on: 408 where it has begun or is the first.
final class SlowRequestHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// How long the next part of a request may take.
    private let patience: TimeAmount
    private var timer: Scheduled<Void>?
    /// Whether a part of a request is waited for.
    private var isReading = true

    init(patience: TimeAmount = .seconds(10)) { self.patience = patience }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { restart(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        restart(context)
        context.fireChannelActive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .end = unwrapInboundIn(data) {
            // The next request may take its time; that is the idle timeout's.
            isReading = false
            timer?.cancel()
        } else {
            isReading = true
            restart(context)
        }
        context.fireChannelRead(data)
    }

    private func restart(_ context: ChannelHandlerContext) {
        timer?.cancel()
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let place = NIOLoopBound(context, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: patience) { bound.value.end(place.value) }
    }

    private func end(_ context: ChannelHandlerContext) {
        guard isReading, context.channel.isActive else { return }
        let head = HTTPResponse(
            status: .requestTimeout, headerFields: [.connection: "close", .contentLength: "0"])
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.close(promise: nil)
    }
}
