import Easel
import EngineInterface
import Foundation
import VulkanEngine

/// Whole pictures, from the prompt to pixels.
struct PictureTimes: Encodable {
    private let figures = "pictures"
    private let device: String
    private let driver: String
    private let precision: String
    private let size: Int
    private let steps: Int
    /// From opening the engine and the model until the first step begins.
    private var readySeconds = 0.0
    /// The first picture, with all that is made ready for it.
    private var firstSeconds = 0.0
    private var pictureSeconds: [Double] = []
    private var medianPictureSeconds = 0.0
    /// Between one step's end and the next one's.
    private var medianStepSeconds = 0.0
    private var medianEncodeSeconds = 0.0
    private var medianDecodeSeconds = 0.0
    private var peakDeviceMemoryBytes = 0

    /// Opens the model and makes pictures.
    init(
        engine: VulkanEngine, model location: URL, precision: Precision, memory: MemoryMode, size: Int,
        steps: Int, runs: Int, save: URL?
    ) async throws {
        device = engine.deviceDescription.name
        driver = engine.deviceDescription.driver
        self.precision = precision.rawValue
        self.size = size
        self.steps = steps
        let clock = ContinuousClock()
        let start = clock.now
        let model = try Model(
            at: location, engine: engine, precision: precision, memory: MemoryUse(memory))
        var request = Request(
            prompt: "a red apple on a table", width: size, height: size, steps: steps, guidanceScale: 7.5,
            seed: 42)
        request.dynamicPrompts = false
        var (stepTimes, encodings, decodings): ([Double], [Double], [Double]) = ([], [], [])
        for run in 0...runs {
            let begun = clock.now
            var lastStep: ContinuousClock.Instant?
            for try await event in model.generate(request) {
                let now = clock.now
                switch event {
                case .stage(.denoising): if run == 0 { readySeconds = start.duration(to: now) / .seconds(1) }
                case .step:
                    if run > 0, let lastStep { stepTimes.append(lastStep.duration(to: now) / .seconds(1)) }
                    lastStep = now
                case .finished(let picture):
                    if run == runs, let save { try picture.write(to: save) }
                    guard run > 0 else { break }
                    encodings.append((picture.timings[.encodingPrompt] ?? .zero) / .seconds(1))
                    decodings.append((picture.timings[.decoding] ?? .zero) / .seconds(1))
                case .warning(let warning): Swift.print("warning: \(warning)")
                default: break
                }
            }
            let seconds = begun.duration(to: clock.now) / .seconds(1)
            if run == 0 { firstSeconds = seconds } else { pictureSeconds.append(seconds) }
        }
        medianPictureSeconds = median(pictureSeconds)
        medianStepSeconds = stepTimes.isEmpty ? 0 : median(stepTimes)
        medianEncodeSeconds = median(encodings)
        medianDecodeSeconds = median(decodings)
        peakDeviceMemoryBytes = model.peakDeviceMemoryByteCount ?? 0
    }

    func print() throws {
        Swift.print(
            String(
                format: """
                    %d×%d, %d steps: %.4f s a picture (median of %d), %.2f ms between steps, decoding %.2f ms, \
                    encoding %.2f ms; %.2f s until the first step, first picture %.2f s; %.2f GB of the GPU's memory at most
                    """, size, size, steps, medianPictureSeconds, pictureSeconds.count,
                medianStepSeconds * 1e3, medianDecodeSeconds * 1e3, medianEncodeSeconds * 1e3, readySeconds,
                firstSeconds, Double(peakDeviceMemoryBytes) / 1e9))
        try printLine(self)
    }
}
