import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// A server on this machine that answers as a test says.
final class LocalServer: Sendable {
    struct Request: Sendable {
        let method: String
        let path: String
        let headers: [String: String]
    }

    struct Reply: Sendable {
        var status = 200
        var headers: [String: String] = [:]
        var body: [UInt8] = []
        /// After how many bytes of the body the connection is closed; nil for none.
        var breaksAfter: Int?
    }

    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let channel: any Channel
    let port: Int
    private let isEncrypted: Bool

    /// - Parameter isEncrypted: Whether it speaks TLS, with ``TestCertificate``.
    init(isEncrypted: Bool = false, _ answer: @escaping @Sendable (Request) -> Reply) throws {
        self.isEncrypted = isEncrypted
        let log = LogBox()
        let encryption =
            try isEncrypted
            ? NIOSSLContext(
                configuration: .makeServerConfiguration(
                    certificateChain: NIOSSLCertificate.fromPEMBytes(Array(TestCertificate.certificate.utf8))
                        .map { .certificate($0) },
                    privateKey: .privateKey(
                        NIOSSLPrivateKey(bytes: Array(TestCertificate.key.utf8), format: .pem)))) : nil
        channel = try ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let encryption {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLServerHandler(context: encryption))
                    }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(
                        Handler { request in
                            log.requests.withLock { $0.append(request) }
                            return answer(request)
                        })
                }
            }
            .bind(host: "127.0.0.1", port: 0).wait()
        port = channel.localAddress?.port ?? 0
        box = log
    }

    private let box: LogBox

    deinit {
        try? channel.close().wait()
        try? group.syncShutdownGracefully()
    }

    /// What was asked so far.
    var requests: [Request] { box.requests.withLock { $0 } }
    func forgetRequests() { box.requests.withLock { $0 = [] } }

    /// The server's address under one of this machine's names.
    func url(_ path: String = "", host: String = "127.0.0.1") -> String {
        "http\(isEncrypted ? "s" : "")://\(host):\(port)\(path)"
    }

    private final class LogBox: Sendable {
        let requests = Mutex([Request]())
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let answer: @Sendable (Request) -> Reply
        private var head: HTTPRequestHead?

        init(_ answer: @escaping @Sendable (Request) -> Reply) { self.answer = answer }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): self.head = head
            case .body: break
            case .end:
                guard let head else { return }
                let fields = Dictionary(
                    head.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { $1 })
                reply(
                    answer(Request(method: head.method.rawValue, path: head.uri, headers: fields)),
                    to: head, context)
            }
        }

        private func reply(_ reply: Reply, to request: HTTPRequestHead, _ context: ChannelHandlerContext) {
            var headers = HTTPHeaders(reply.headers.map { ($0.key, $0.value) })
            if !headers.contains(name: "content-length") {
                headers.add(name: "content-length", value: "\(reply.body.count)")
            }
            let head = HTTPResponseHead(
                version: .http1_1, status: .init(statusCode: reply.status), headers: headers)
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            if request.method != .HEAD {
                let body = reply.body.prefix(reply.breaksAfter ?? reply.body.count)
                context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
            }
            if reply.breaksAfter != nil, request.method != .HEAD {
                context.flush()
                let loopBound = NIOLoopBound(context, eventLoop: context.eventLoop)
                context.eventLoop.scheduleTask(in: .milliseconds(50)) { loopBound.value.close(promise: nil) }
            } else {
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }
}
