import EngineInterface

/// What ``Model/benchmark(_:tell:)`` measures: pictures with the sampler `euler`, which asks the U-Net once a step.
public struct Benchmark: Sendable, Hashable {
    /// In pixels, as ``Request/width``; nil is the model's own size.
    public var width: Int?
    /// In pixels, as the width.
    public var height: Int?
    /// How many steps of each round are measured, from 1 to 1000.
    public var steps = 5
    /// How many pictures are computed at once, from 1 to 64.
    public var batchSize = 1
    /// As ``Request/guidanceScale``: above 1 each step predicts twice for each picture.
    public var guidanceScale: Float = 7.5
    /// How many times pictures are made after the first time, which is not measured but for what it loads; from 1 to 100.
    public var rounds = 2

    public init(width: Int? = nil, height: Int? = nil, steps: Int = 5, batchSize: Int = 1) {
        self.width = width
        self.height = height
        self.steps = steps
        self.batchSize = batchSize
    }

    /// - Throws: ``RequestError`` for what is out of its range.
    func check() throws(RequestError) {
        for (field, value, range) in [
            ("steps", steps, 1...1000), ("batch size", batchSize, 1...64), ("rounds", rounds, 1...100),
        ] where !range.contains(value) {
            throw .outOfRange(
                field: field, value: "\(value)", range: "from \(range.lowerBound) to \(range.upperBound)")
        }
    }
}

/// How fast a model makes pictures on this machine, and in how much memory. Times are in seconds; those of steps and
/// pictures are medians.
public struct BenchmarkResult: Sendable, Hashable, Codable {
    /// The model's name.
    public let model: String
    /// The engine's name.
    public let engine: String
    /// Never automatic, but what it came to.
    public let precision: String
    /// How memory was used: never automatic, but what it came to.
    public let memory: String
    /// In pixels.
    public let width: Int
    /// In pixels.
    public let height: Int
    public let batchSize: Int
    public let isGuided: Bool
    /// How many steps were measured.
    public let measuredSteps: Int

    /// From the opened model to the first step's begin, calibration left out.
    public let loadSeconds: Double
    /// For int8: how long activations were measured, or what is known of them was read; nil for other precisions.
    public let calibrationSeconds: Double?
    /// Of the prompts of a request whose text encoders are ready.
    public let encodeSeconds: Double
    /// Of one step of the whole batch.
    public let stepSeconds: Double
    /// Of one picture.
    public let decodeSeconds: Double
    /// The most memory that the process took until its first pictures were made, mapped files included: on Linux the
    /// proportional set size, elsewhere the resident one.
    public let peakMemoryBytes: Int
    /// The most that networks and their values took of a GPU's memory; nil where none computes.
    public let peakDeviceMemoryBytes: Int?

    /// The multiplications and additions of one step's products, as the network has them.
    public let stepOperations: Int
    /// How many of them the machine did in a second in a large product of matrices, at the same precision.
    public let peakOperationsPerSecond: Double

    /// Which part of the machine's peak the U-Net's steps reach; above 1 where the engine needs fewer operations than the
    /// network has.
    public var shareOfPeak: Double { Double(stepOperations) / stepSeconds / peakOperationsPerSecond }
}
