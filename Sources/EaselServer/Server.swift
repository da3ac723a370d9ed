import Easel
import Foundation
import GRDB
import Hummingbird
import Imaging
import Logging
import NIOCore
import ServiceLifecycle

/// An HTTP server that makes pictures: Easel's own API, those of AUTOMATIC1111 and OpenAI, and the studio.
///
/// Every request for pictures is a job in a database, which is there until it is done, whatever becomes of the process.
public struct Server: Sendable {
    private let configuration: ServerConfiguration
    private let logger: Logger
    private let database: ServerDatabase
    private let parts: ServerParts
    /// Pictures that the database does not know of: of a process that ended between, or of a database that was lost.
    private let unknownPictures: [String]

    /// Opens the database and the model.
    ///
    /// - Throws: ``ServerStartError``, what opening the model throws, `DatabaseError`.
    public init(_ configuration: ServerConfiguration, logger: Logger) async throws {
        try configuration.check()
        self.configuration = configuration
        self.logger = logger
        database = try ServerDatabase(in: configuration.folder)
        parts = try ServerParts(configuration, pool: database.pool, logger: logger)
        _ = try await parts.shelf.model(named: nil)
        try await parts.queue.store.recover()
        try await parts.uploads.clean()
        await parts.shelf.beginLooking()
        // Before a job is made: what is half written then is nobody's any more, and what is unknown stays so.
        let known = try await parts.gallery.identifiers()
        unknownPictures = parts.files.identifiers().filter { !known.contains($0) }
    }

    /// Serves until the process is told to end (SIGTERM, SIGINT), or the task is cancelled.
    ///
    /// - Parameter ready: Told the port when requests are answered.
    /// - Throws: ``ServerStartError/address(host:port:reason:)``.
    public func run(ready: @escaping @Sendable (_ port: Int) -> Void) async throws {
        let connections = OpenConnections()
        let router = ServerRouter(configuration, parts, logger).router
        var application = Application(
            router: router,
            server: .http1(
                configuration: .init(
                    additionalChannelHandlers: [ConnectionLimit(connections), SlowRequestHandler()],
                    idleTimeout: .seconds(75),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 64 << 10, maxHeaderFieldCount: 100))),
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port), serverName: "easel"),
            services: [
                parts.queue.runner, EventHeartbeat(log: parts.queue.events.log),
                UploadExpiry(uploads: parts.uploads, logger: logger),
            ],
            onServerRunning: { channel in ready(channel.localAddress?.port ?? 0) }, logger: logger)
        application.logger.logLevel = .warning
        let adoption = Task { [parts, unknownPictures, logger] in
            await parts.adopt(unknownPictures, logger)
        }
        defer { adoption.cancel() }
        var group = ServiceGroupConfiguration(
            services: [
                .init(service: application, successTerminationBehavior: .gracefullyShutdownGroup),
                .init(service: EndNotice(runner: parts.queue.runner), successTerminationBehavior: .ignore),
            ],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: application.logger)
        // Requests that wait for a picture do not outlast the job that makes it.
        group.maximumGracefulShutdownDuration = .seconds(configuration.shutdownSeconds + 10)
        do {
            try await ServiceGroup(configuration: group).run()
        } catch let error as IOError {
            throw ServerStartError.address(
                host: configuration.host, port: configuration.port,
                reason: String(cString: strerror(error.errnoCode)))
        }
        do {
            try await database.close()
        } catch {
            logger.warning("the database was not closed", metadata: ["reason": "\(error)"])
        }
    }
}

/// Tells the runner first that the server is to end: requests that wait for its jobs end only then, and the server with them.
private struct EndNotice: Service {
    let runner: JobRunner

    func run() async throws {
        try await gracefulShutdown()
        runner.stop()
    }
}

/// What the server is made of, put together.
struct ServerParts: Sendable {
    let queue: JobQueue
    let gallery: Gallery
    let uploads: Uploads
    let files: PictureFiles
    let thumbnails: PictureFiles
    let shelf: ModelShelf
    let streams: EventStreams
    let options: A1111Options
    /// The styles of `styles.csv` in the server's folder, which is read each time.
    let styles: @Sendable () -> [PromptStyle]

    init(_ configuration: ServerConfiguration, pool: DatabasePool, logger: Logger) throws {
        let limits = configuration.limits
        let table = configuration.folder.appending(path: "styles.csv")
        styles = { (try? PromptStyles(contentsOf: table))?.all ?? [] }
        options = A1111Options(configuration.folder.appending(path: "options.json"))
        func folder(_ name: String) -> URL { configuration.folder.appending(path: name) }
        let files = try PictureFiles(folder("pictures"), ending: "png")
        thumbnails = try PictureFiles(folder("thumbnails"), ending: "jpg")
        let uploaded = try PictureFiles(folder("uploads"), ending: "picture")
        let gallery = Gallery(pool: pool)
        uploads = Uploads(pool: pool, files: uploaded, pixelLimit: limits.pixels)
        let shelf = ModelShelf(
            store: configuration.store, first: configuration.model, open: configuration.open)
        let resolver = SettingsResolver(store: configuration.store) { id, backdrop in
            let bytes = try uploaded.bytes(of: id) ?? files.bytes(of: id)
            return bytes.flatMap {
                try? PictureFile(
                    reading: $0, named: "the picture", over: backdrop, pixelLimit: limits.pixels
                ).image
            }
        }
        let store = JobStore(pool)
        let events = JobEvents(log: EventLog(), gallery: gallery, queue: { try await store.queue() })
        let speed = try JobSpeed(pool, device: configuration.device)
        let running = RunningJobs()
        let runner = JobRunner(
            store: store,
            batches: JobBatches(
                store: store, shelf: shelf, resolver: resolver, speed: speed, limit: limits.jobsAtOnce,
                logger: logger),
            maker: JobMaker(
                gallery: gallery, files: files, thumbnails: thumbnails, shelf: shelf, resolver: resolver,
                speed: speed, events: events, running: running, logger: logger),
            running: running, events: events, logger: logger, patience: configuration.shutdownSeconds)
        queue = JobQueue(
            store: store, gallery: gallery, runner: runner, shelf: shelf, resolver: resolver, speed: speed,
            events: events, limits: limits, rate: RequestRate(perMinute: limits.jobsPerMinute))
        streams = EventStreams(log: events.log, limit: limits.eventStreams)
        (self.files, self.gallery, self.shelf) = (files, gallery, shelf)
    }

    /// Takes pictures into the gallery that lie in its folder.
    func adopt(_ identifiers: [String], _ logger: Logger) async {
        do {
            for id in identifiers where !Task.isCancelled {
                guard let bytes = try? files.bytes(of: id), PictureFiles.identifier(of: bytes) == id,
                    let picture = try? PictureFile(reading: bytes, named: id),
                    let stored = StoredPicture(picture, id: id)
                else { continue }
                try thumbnails.save(Thumbnail.bytes(of: picture.image), as: id)
                try await gallery.add(stored, to: nil) { [files] in try files.save(bytes, as: id) }
            }
        } catch {
            logger.warning("pictures were not taken into the gallery", metadata: ["reason": "\(error)"])
        }
    }
}
