import ArgumentParser
import Easel
import EaselServer
import Foundation
import Logging
import Metrics

/// `easel serve`: the server and its studio.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Open a server and the web studio.",
        discussion: """
            Easel's own API is at /api/v1 (described at /api/v1/openapi.json), AUTOMATIC1111's at /sdapi/v1, OpenAI's \
            Images API at /v1. What is not given is taken from the environment (EASEL_PORT, EASEL_TOKEN, …: the options' \
            names in capitals, with _ for -, and commas between several values) and then from the file --config: a JSON \
            object with the options' names, such as {"port": 8080}.
            """)

    @OptionGroup var opening: ModelOptions
    @Option(
        help:
            "The address to listen on; another than this machine's own needs a --token (default: 127.0.0.1).")
    var host: String?
    @Option(help: "The port; 0 takes one that is free (default: 7860).")
    var port: Int?
    @Option(help: "What clients must know: a bearer token, or the password of HTTP Basic.")
    var token: String?
    @Option(help: "A name that the server is known by, besides addresses and localhost; repeatable.")
    var allowHost: [String] = []
    @Option(help: "Pages of another origin that may use the server, as https://example.org; repeatable.")
    var allowOrigin: [String] = []
    @Flag(help: "Fetch pictures that requests give the addresses of, from public machines alone.")
    var allowUrlImages = false
    @Option(help: "Where the queue and the pictures are (default: easel/server among the user's data).")
    var dataDir: String?
    @Option(help: "The most steps of a picture (default: 150).")
    var maxSteps: Int?
    @Option(help: "The most jobs that wait (default: 1000).")
    var queueLength: Int?
    @Option(help: "The most jobs that wait of a client (default: 200).")
    var perClient: Int?
    @Option(help: "The most jobs that a client hands in within a minute (default: 600).")
    var jobsPerMinute: Int?
    @Option(
        help:
            "The most jobs of one model, size and sampler that are made at once, where that is faster; 1 for one by one (default: 4)."
    )
    var jobsAtOnce: Int?
    @Option(help: "The most bytes of a request, such as 64MB (default: 64MiB).")
    var maxBody: ByteCount?
    @Option(help: "How many seconds a running job may go on when the server is to end (default: 30).")
    var shutdownTimeout: Double?
    @Option(help: "A file of JSON with options.")
    var config: String?

    func validate() throws { try opening.check() }

    func run() async throws {
        await reportingErrors {
            // Behind the tool's name and the command's.
            let words = Array(CommandLine.arguments.dropFirst(2))
            try await LayeredSettings<Self>(file: config).command(words).serve()
        }
        // A job that was parked may have left a network to be compiled.
        leave(.success)
    }

    private func serve() async throws {
        var logger = Logger(label: "easel")
        logger.logLevel = .notice
        let metrics = PrometheusMetrics()
        MetricsSystem.bootstrap(metrics)
        OpenFileLimit.raise()
        ProcessMemory.limitArenas()
        var setup = try setup()
        setup.metrics = metrics
        let server = try await Server(setup, logger: logger)
        try await server.run { [host = setup.host] port in
            let shown = host.contains(":") ? "[\(host)]" : host
            print("Easel is at http://\(shown):\(port)/")
            fflush(nil)
        }
    }

    private func setup() throws -> ServerConfiguration {
        let opening = opening
        let store = try opening.folders.store
        let vocabulary = opening.vocabulary.map { URL(filePath: $0) }
        let vae = opening.vae.map {
            URL(filePath: ModelLocation.path(named: $0, kind: .vae, store: store))
        }
        let model = try ModelLocation.url(named: opening.model, store: store)
        var setup = ServerConfiguration(
            folder: dataDir.map { URL(filePath: $0) } ?? Self.standardFolder,
            model: model, store: store
        ) { location, autoencoder in
            try await opening.processor.open(opening.precision) { engine in
                try Model(
                    at: location, engine: engine, precision: opening.precision, vocabulary: vocabulary,
                    vae: autoencoder ?? vae, memory: opening.memory.use)
            }
        }
        let threads = opening.processor.cpu.threads.map { ", \($0) threads" } ?? ""
        setup.device = "\(opening.processor.device), \(opening.precision.rawValue)\(threads)"
        setup.host = host ?? setup.host
        setup.port = try bounded("port", port, 0...65535) ?? setup.port
        setup.token = token
        setup.allowedHosts = allowHost
        setup.allowedOrigins = allowOrigin
        setup.allowsRemotePictures = allowUrlImages
        setup.shutdownSeconds = shutdownTimeout ?? setup.shutdownSeconds
        guard (0...3600).contains(setup.shutdownSeconds) else {
            throw ValidationError("--shutdown-timeout must be from 0 to 3600 seconds.")
        }
        var limits = ServerLimits()
        limits.steps = try bounded("max-steps", maxSteps, 1...1000) ?? limits.steps
        limits.queueLength =
            try bounded("queue-length", queueLength, 1...1_000_000) ?? limits.queueLength
        limits.perClient = try bounded("per-client", perClient, 1...1_000_000) ?? limits.perClient
        limits.jobsPerMinute =
            try bounded("jobs-per-minute", jobsPerMinute, 1...1_000_000) ?? limits.jobsPerMinute
        limits.jobsAtOnce = try bounded("jobs-at-once", jobsAtOnce, 1...8) ?? limits.jobsAtOnce
        limits.bodyBytes =
            try bounded("max-body", maxBody?.bytes, 1024...(1 << 30)) ?? limits.bodyBytes
        setup.limits = limits
        return setup
    }

    /// `easel/server` among the user's data.
    private static var standardFolder: URL {
        let data = ProcessInfo.processInfo.environment["XDG_DATA_HOME"].flatMap { $0.isEmpty ? nil : $0 }
        let home = FileManager.default.homeDirectoryForCurrentUser
        return (data.map { URL(filePath: $0) } ?? home.appending(path: ".local/share"))
            .appending(path: "easel/server")
    }

    /// A number of the options.
    ///
    /// - Throws: `ValidationError` where it is out of its range.
    private func bounded(_ name: String, _ value: Int?, _ range: ClosedRange<Int>) throws -> Int? {
        guard let value else { return nil }
        guard range.contains(value) else {
            throw ValidationError(
                "--\(name) \(value) is not possible: it must be from \(range.lowerBound) to \(range.upperBound)."
            )
        }
        return value
    }
}
