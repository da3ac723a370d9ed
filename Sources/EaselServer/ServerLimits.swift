/// What one request may ask of the server, and how much may wait.
public struct ServerLimits: Sendable, Hashable {
    /// The most bytes of a request's body.
    public var bodyBytes = 64 << 20
    /// The most pixels of a picture that is handed in.
    public var pixels = 64_000_000
    /// The most pixels of a picture that is made.
    public var generatedPixels = 2048 * 2048
    public var steps = 150
    /// The most pictures of a job.
    public var count = 64
    public var batchSize = 8
    /// The most jobs that are made at once, where that is faster; 1 makes them one after another.
    public var jobsAtOnce = 4
    /// The most characters of a prompt, as JSON Schema counts them: Unicode's scalars.
    public var promptLength = 20_000
    /// The most jobs that wait.
    public var queueLength = 1000
    /// The most jobs that wait of a client.
    public var perClient = 200
    /// The most jobs that a client hands in within a minute.
    public var jobsPerMinute = 600
    /// The most streams of events at a time.
    public var eventStreams = 4000

    public init() {}
}
