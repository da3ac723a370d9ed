import ArgumentParser
import Easel
import EngineInterface
import Foundation
import VulkanEngine

/// What the Vulkan engine needs for pictures on a GPU, in all and by its parts.
@main struct VulkanStep: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Measure the Vulkan engine: VulkanStep MODEL, VulkanStep rates, VulkanStep devices, VulkanStep conformance.",
        subcommands: [
            MeasureCommand.self, RatesCommand.self, DevicesCommand.self, ConformanceCommand.self,
        ],
        defaultSubcommand: MeasureCommand.self)
}

struct MeasureCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure", abstract: "Measure a model in a folder of diffusers' layout.",
        discussion: """
            Times are medians. Each group of figures ends with a line of JSON.
            """)

    @Argument(help: "The model's folder.", transform: { URL(filePath: $0) }) var model: URL
    @Option(help: "The GPU, by its number or a part of its name (default: the best one).") var device: String?
    @Option(help: "Width and height in pixels.") var size = 512
    @Option(help: "Steps of a picture.") var steps = 20
    @Option(help: "How often each thing is measured after a first time, which is not; 0 leaves pictures out.")
    var runs = 5
    @Option(help: "auto, f16 or f32.") var precision = Precision.float16
    @Option(help: "How often single networks are measured after a first time.") var networkRuns = 10
    @Flag(help: "Leave single networks out.") var picturesOnly = false
    @Flag(help: "Print where a step's time goes, and the decoder's.") var table = false
    @Option(help: "TFLOP/s of products of matrices on this GPU, as the table compares with.")
    var matrixRate: Double?
    @Option(
        help: "The folder in which it is kept how products are divided (default: for this process alone).",
        transform: { URL(filePath: $0) })
    var tuningFolder: URL?
    @Option(help: "auto, fast, balanced or minimal.") var memory = MemoryMode.automatic
    @Option(help: "Where the last picture is written, as PNG.", transform: { URL(filePath: $0) })
    var save: URL?
    @Option(help: "MiB of the copies that memory's speed is measured by.") var copySize = 1024
    @OptionGroup var kernelOptions: KernelOptions

    func run() async throws {
        let engine = try VulkanEngine(
            device, tuningFolder: tuningFolder, capturingStatistics: kernelOptions.kernels != nil)
        let description = engine.deviceDescription
        print("\(description.name), \(description.driver), \(precision.rawValue)")
        if runs > 0 {
            try await PictureTimes(
                engine: engine, model: model, precision: precision, memory: memory, size: size, steps: steps,
                runs: runs, save: save
            ).print()
        }
        if !picturesOnly { try await measureNetworks(engine) }
        kernelOptions.printTable(engine)
    }

    private func measureNetworks(_ engine: VulkanEngine) async throws {
        var ceilings: Ceilings?
        if table {
            let bandwidth = try engine.copyBandwidth(byteCount: copySize << 20)
            let own = try engine.matrixRate()
            if let own { print(String(format: "matrices in registers: %.1f TFLOP/s", own / 1e12)) }
            let found = Ceilings(
                bytesPerSecond: bandwidth, operationsPerSecond: matrixRate.map { $0 * 1e12 } ?? own)
            print(String(format: "copies: %.0f GB/s, read and written", bandwidth / 1e9))
            try printLine(Ceilings.Line(found))
            ceilings = found
        }
        for network in [ModelNetwork.unet, .vaeDecoder] {
            let times = try await NetworkTimes(
                network, engine: engine, model: model, precision: precision, size: size, runs: networkRuns)
            try times.print()
            if let ceilings { try Roofline(times, ceilings).print() }
        }
    }
}

struct DevicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices", abstract: "List what the GPUs and their drivers have.")

    func run() throws {
        for (index, facts) in try VulkanEngine.deviceFacts().enumerated() {
            print("\(index)")
            for (name, value) in facts { print("    \(name): \(value)") }
        }
    }
}

extension Precision: ExpressibleByArgument {}
extension MemoryMode: ExpressibleByArgument {}

/// Prints a line of JSON.
func printLine(_ values: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    print(String(decoding: try encoder.encode(values), as: UTF8.self))
    // What comes later may be cut off.
    fflush(nil)
}

/// The middle of the values, or the mean of the two in the middle.
func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    guard !sorted.isEmpty else { return .nan }
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}
