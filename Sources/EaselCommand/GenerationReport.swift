import Easel
import EngineInterface
import Foundation

/// What `--json` prints: one line about the whole request.
struct GenerationReport: Encodable {
    struct Picture: Encodable {
        let file: String
        let seed: UInt64
    }

    private let model: String
    private let prompt: String
    private let negativePrompt: String
    private var width: Int
    private var height: Int
    private let steps: Int
    private let guidanceScale: Float
    private let seed: UInt64
    private var sampler: String
    private let precision: String
    /// What was kept from step to step; nil for nothing.
    private let cache: String?
    private let tokenMerging: Double?
    /// How memory was used.
    private var memory: String
    private var files: [String] = []
    private var pictures: [Picture] = []
    /// Files of pictures side by side; nil where there are none.
    var grids: [String]?
    /// Seconds spent in each stage, for all pictures together.
    private(set) var timings: [String: Double]
    private var peakMemoryBytes = 0
    /// The same of a GPU; nil where none computes.
    private var peakDeviceMemoryBytes: Int?
    /// What the peak was expected to be.
    private var estimatedMemoryBytes = 0
    var warnings: [String] = []

    /// - Parameter opening: How long it took to open the model.
    init(_ request: Request, model: Model, opening: Duration) {
        self.model = model.name
        prompt = request.prompt
        negativePrompt = request.negativePrompt
        width = request.width ?? model.width
        height = request.height ?? model.height
        steps = request.steps
        guidanceScale = request.guidanceScale
        seed = request.seed ?? 0
        sampler = ""
        cache = request.deepCache?.description
        tokenMerging = request.tokenMergingRatio == 0 ? nil : request.tokenMergingRatio
        timings = ["open_model": seconds(opening)]
        precision = model.precision.rawValue
        memory = model.memoryUse.mode.rawValue
    }

    /// - Parameter earlier: The ``timings`` when the picture's request began, whose own are told with each of its pictures.
    mutating func add(_ picture: GeneratedPicture, file: URL, after earlier: [String: Double]) {
        files.append(file.path)
        pictures.append(Picture(file: file.path, seed: picture.seed))
        sampler = picture.sampler
        memory = picture.memory.rawValue
        estimatedMemoryBytes = max(estimatedMemoryBytes, picture.memoryEstimate)
        (width, height) = (picture.image.width, picture.image.height)
        for (stage, duration) in picture.timings {
            timings[stage.rawValue] = earlier[stage.rawValue, default: 0] + seconds(duration)
        }
    }

    /// - Parameter model: What made the pictures.
    mutating func line(_ model: Model) throws -> String {
        peakMemoryBytes = Self.peakMemory()
        peakDeviceMemoryBytes = model.peakDeviceMemoryByteCount
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// The most memory that the process has had resident, in bytes.
    private static func peakMemory() -> Int {
        var usage = rusage()
        #if canImport(Darwin)
            getrusage(RUSAGE_SELF, &usage)
            return usage.ru_maxrss
        #else
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            return usage.ru_maxrss * 1024
        #endif
    }
}
