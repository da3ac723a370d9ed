import NIOCore
import NIOPosix
import Synchronization

/// A server that closes a connection as soon as it is asked something, and counts how often.
final class ClosingServer: Sendable {
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let channel: any Channel
    private let box: Box
    let port: Int

    init() throws {
        let box = Box()
        self.box = box
        channel = try ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Handler(box))
                }
            }
            .bind(host: "127.0.0.1", port: 0).wait()
        port = channel.localAddress?.port ?? 0
    }

    deinit {
        try? channel.close().wait()
        try? group.syncShutdownGracefully()
    }

    /// How many connections asked something.
    var count: Int { box.count.withLock { $0 } }

    private final class Box: Sendable {
        let count = Mutex(0)
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let box: Box
        private var isAsked = false

        init(_ box: Box) { self.box = box }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard !isAsked else { return }
            isAsked = true
            box.count.withLock { $0 += 1 }
            context.close(promise: nil)
        }
    }
}
