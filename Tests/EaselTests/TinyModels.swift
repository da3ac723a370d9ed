import Easel
import EngineInterface
import Foundation
import OpenVINOEngine
import Testing

/// The two models with random weights that diffusers made.
enum TinyModel: String, CaseIterable {
    case sd1 = "tiny-sd1"
    case sd2 = "tiny-sd2"

    static let golden = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Golden")

    var folder: URL { Self.golden.appending(path: "models/\(rawValue)") }

    /// The model in f32, which the golden files were made in.
    func opened() throws -> Model { try openModel(at: folder) }
}

func openModel(at folder: URL) throws -> Model {
    try Model(at: folder, engine: OpenVINOEngine(threads: 1), precision: .float32)
}

extension Request {
    /// A request for the smallest picture in few steps.
    static func quick(
        _ prompt: String = "a red apple on a table", seed: UInt64? = 42, steps: Int = 3, count: Int = 1,
        batchSize: Int = 1
    ) -> Request {
        Request(
            prompt: prompt, negativePrompt: "low quality, blurry", width: 64, height: 64, steps: steps,
            guidanceScale: 7.5, seed: seed, count: count, batchSize: batchSize)
    }
}

extension Model {
    /// Everything that is told of a request.
    func events(_ request: Request) async throws -> [GenerationEvent] {
        var events: [GenerationEvent] = []
        for try await event in generate(request) { events.append(event) }
        return events
    }

    func pictures(_ request: Request) async throws -> [GeneratedPicture] {
        try await events(request).pictures
    }

    func picture(_ request: Request) async throws -> GeneratedPicture {
        try #require(try await pictures(request).first)
    }
}

extension [GenerationEvent] {
    var pictures: [GeneratedPicture] {
        compactMap { if case .finished(let picture) = $0 { picture } else { nil } }
    }

    var warnings: [Easel.Warning] {
        compactMap { if case .warning(let warning) = $0 { warning } else { nil } }
    }
}

/// The largest difference of two values of the same place.
func largestDifference(_ one: [Float], _ other: [Float]) -> Float {
    guard one.count == other.count else { return .infinity }
    return zip(one, other).reduce(0) { largest, pair in
        let difference = (pair.0 - pair.1).magnitude
        return difference.isNaN ? .infinity : max(largest, difference)
    }
}

/// The largest difference of two pictures' values, in levels of 255.
func largestDifference(_ one: [UInt8], _ other: [UInt8]) -> Int {
    guard one.count == other.count else { return 256 }
    return zip(one, other).reduce(0) { max($0, abs(Int($1.0) - Int($1.1))) }
}

/// The demo model's folder.
let demoModel = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Models/demo")
