import Easel
import Foundation
import Synchronization

/// What `easel bench` prints: one line of JSON, or a table.
struct BenchmarkReport {
    private let result: BenchmarkResult
    private let openSeconds: Double
    private let threads: Int

    /// - Parameters:
    ///   - openSeconds: How long it took to open the model.
    ///   - threads: Nil where each core has one.
    init(_ result: BenchmarkResult, openSeconds: Double, threads: Int?) {
        self.result = result
        self.openSeconds = openSeconds
        self.threads = threads ?? ProcessInfo.processInfo.activeProcessorCount
    }

    private struct Line: Encodable {
        let version: String
        let processor: String?
        let threads: Int
        let openSeconds: Double
        let shareOfPeak: Double
        let result: BenchmarkResult

        func encode(to encoder: any Encoder) throws {
            try result.encode(to: encoder)
            var container = encoder.container(keyedBy: Keys.self)
            try container.encode(version, forKey: .version)
            try container.encodeIfPresent(processor, forKey: .processor)
            try container.encode(threads, forKey: .threads)
            try container.encode(openSeconds, forKey: .openSeconds)
            try container.encode(shareOfPeak, forKey: .shareOfPeak)
        }

        private enum Keys: CodingKey { case version, processor, threads, openSeconds, shareOfPeak }
    }

    func line() throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let line = Line(
            version: easelVersion, processor: Self.processor, threads: threads, openSeconds: openSeconds,
            shareOfPeak: result.shareOfPeak, result: result)
        return String(decoding: try encoder.encode(line), as: UTF8.self)
    }

    var table: String {
        let pictures = result.batchSize > 1 ? "\(result.batchSize) pictures" : "a picture"
        let guidance = result.isGuided ? "guidance" : "no guidance"
        var rows = [
            ("model", "\(result.model), \(result.precision), memory \(result.memory)"),
            ("machine", "\(Self.processor.map { "\($0), " } ?? "")\(threads) threads, \(result.engine)"),
            ("work", "\(pictures) of \(result.width)×\(result.height) pixels at once, \(guidance)"),
            ("open the model", time(openSeconds)),
            ("load, to first step", time(result.loadSeconds)),
        ]
        if let calibration = result.calibrationSeconds { rows.append(("calibrate", time(calibration))) }
        rows += [
            ("encode the prompts", time(result.encodeSeconds)),
            ("a step", "\(time(result.stepSeconds)), median of \(result.measuredSteps)"),
            ("decode a picture", time(result.decodeSeconds)),
            ("most memory", gigabytes(result.peakMemoryBytes)),
        ]
        if let bytes = result.peakDeviceMemoryBytes { rows.append(("most of the GPU's", gigabytes(bytes))) }
        rows.append(
            (
                "of the peak",
                String(
                    format: "%.0f %%: %.0f of %.0f billion operations a second", 100 * result.shareOfPeak,
                    result.shareOfPeak * result.peakOperationsPerSecond / 1e9,
                    result.peakOperationsPerSecond / 1e9)
            ))
        return rows.map { $0.padding(toLength: 21, withPad: " ", startingAt: 0) + $1 }.joined(separator: "\n")
    }

    private func gigabytes(_ bytes: Int) -> String { String(format: "%.2f GB", Double(bytes) / 1e9) }

    private func time(_ seconds: Double) -> String {
        seconds < 1 ? String(format: "%.3f s", seconds) : String(format: "%.2f s", seconds)
    }

    /// The processor's name, where the system tells it.
    private static var processor: String? {
        #if canImport(Darwin)
            var size = 0
            sysctlbyname("machdep.cpu.brand_string", nil, &size, nil, 0)
            var name = [UInt8](repeating: 0, count: size)
            guard sysctlbyname("machdep.cpu.brand_string", &name, &size, nil, 0) == 0 else { return nil }
            return String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
        #else
            let text = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
            let line = text?.split(separator: "\n").first { $0.hasPrefix("model name") }
            return line?.split(separator: ":").dropFirst().first.map {
                $0.trimmingCharacters(in: .whitespaces)
            }
        #endif
    }
}

/// The line of progress of a benchmark, whose events come from other threads.
final class BenchmarkProgress: Sendable {
    private let line: Mutex<ProgressLine>

    init(quiet: Bool) { line = Mutex(ProgressLine(quiet: quiet)) }

    func show(_ event: GenerationEvent) {
        line.withLock { line in
            switch event {
            case .stage(let stage): line.show(stage)
            case .step(let step): line.show(step, picture: 0, of: 1)
            case .warning(let warning):
                line.clear()
                FileHandle.standardError.write(Data("easel: \(warning)\n".utf8))
            case .finished: break
            }
        }
    }

    func clear() { line.withLock { $0.clear() } }
}
