import Easel
import EaselHub
import Foundation

/// How a server is set up.
public struct ServerConfiguration: Sendable {
    /// The address that it listens on; others than this machine's own need a ``token``.
    public var host = "127.0.0.1"
    /// 0 takes one that is free.
    public var port = 7860
    /// What clients must know; nil where only this machine can connect.
    public var token: String?
    /// Names that the server is known by, besides addresses and `localhost`.
    public var allowedHosts: [String] = []
    /// Pages of other origins that may use it, as `https://example.org`.
    public var allowedOrigins: [String] = []
    /// Whether pictures may be given by address, which are then fetched from public machines.
    public var allowsRemotePictures = false
    /// Where the database and the pictures are.
    public var folder: URL
    public var limits = ServerLimits()
    /// How long a running job may go on when the server is to end, in seconds; then it waits for the next start.
    public var shutdownSeconds = 30.0
    /// What `/metrics` tells; nil for no such path.
    public var metrics: PrometheusMetrics?
    /// The models that can be named, besides ``model``.
    public var store: ModelStore
    /// The model that is open from the start.
    public var model: URL
    /// What models are computed with, in words that differ where speeds do: what was measured with one is not taken for
    /// another's.
    public var device = ""
    /// Opens a model, with another autoencoder where one is given.
    public var open: @Sendable (_ model: URL, _ vae: URL?) async throws -> Model

    /// - Parameter folder: Where the database and the pictures are; it is made where it is not there.
    public init(
        folder: URL, model: URL, store: ModelStore,
        open: @escaping @Sendable (_ model: URL, _ vae: URL?) async throws -> Model
    ) {
        self.folder = folder
        self.model = model
        self.store = store
        self.open = open
    }

    var isLoopback: Bool { ["127.0.0.1", "::1", "localhost"].contains(host) }

    /// - Throws: ``ServerStartError/tokenMissing(host:)``.
    func check() throws {
        guard isLoopback || token?.isEmpty == false else { throw ServerStartError.tokenMissing(host: host) }
    }
}
