import ArgumentParser
import Checkpoints
import EngineInterface
import Foundation
import TensorGraph
import VulkanEngine

/// How fast the engine is at what U-Nets are made of, beside NVIDIA's own libraries.
struct RatesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rates", abstract: "Measure products, convolutions and attention of a U-Net's sizes.",
        discussion: "The sizes are those of Benchmarks/gpu_rates.py, whose output --peer reads.")

    @Option(help: "The GPU, by its number or a part of its name (default: the best one).") var device: String?
    @Option(help: "auto, f16 or f32.") var precision = Precision.float16
    @Option(help: "What gpu_rates.py printed.", transform: { URL(filePath: $0) }) var peer: URL?
    @Option(help: "Only what has this in its name, such as \"product\".") var only = ""
    @Option(help: "Sizes of products alone, as 8192x320x320, with commas between.") var products: String?
    @Option(help: "How often each is measured.") var runs = 7
    @Option(help: "Where what is measured of products is kept.", transform: { URL(filePath: $0) })
    var tuningFolder: URL?
    @OptionGroup var kernelOptions: KernelOptions

    private struct Line: Encodable {
        let figures = "rate"
        let what: String
        /// Each waits for the one before.
        let seconds: Double
        /// One after the other as they usually are: those that may overlap do.
        let secondsInARow: Double
        let tflops: Double
        let division: String
        /// The peer's time by this engine's.
        let shareOfPeer: Double?
    }

    private struct PeerLine: Decodable {
        let what: String?
        let seconds: Double?
    }

    func run() async throws {
        let engine = try VulkanEngine(
            device, tuningFolder: tuningFolder, capturingStatistics: kernelOptions.kernels != nil)
        print("\(engine.deviceDescription.name), \(engine.deviceDescription.driver), \(precision.rawValue)")
        var peers: [String: Double] = [:]
        if let peer {
            for line in try String(contentsOf: peer, encoding: .utf8).split(separator: "\n") {
                guard let rate = try? JSONDecoder().decode(PeerLine.self, from: Data(line.utf8)),
                    let what = rate.what
                else { continue }
                peers[what] = rate.seconds
            }
        }
        var all = Workload.all
        if let products {
            all = products.split(separator: ",").map {
                let sizes = $0.split(separator: "x").compactMap { Int($0) }
                return .product(rows: sizes[0], columns: sizes[1], depth: sizes[2])
            }
        }
        for workload in all where only.isEmpty || workload.name.contains(only) {
            try await measure(workload, engine, peer: peers[workload.name])
        }
        kernelOptions.printTable(engine)
    }

    private func measure(_ workload: Workload, _ engine: VulkanEngine, peer: Double?) async throws {
        let file = FileManager.default.temporaryDirectory.appending(
            path: "easel-rates-\(UInt64.random(in: 0...UInt64.max)).safetensors")
        defer { try? FileManager.default.removeItem(at: file) }
        try workload.writeWeights(to: file)
        let weights = try Checkpoint(contentsOf: file)
        let graph = try Graph.build(workload.name, weights: weights) { builder in
            let inputs = workload.inputs.map { builder.input($0.name, $0.shape) }
            return ["y": concatenate(workload.results(inputs, builder), axis: 0)]
        }
        guard
            let compiled = try await engine.compile(graph, weights: weights, precision: precision)
                as? VulkanGraph
        else { fatalError("the Vulkan engine makes graphs of its own") }
        let inputs = Dictionary(
            uniqueKeysWithValues: workload.inputs.map {
                ($0.name, HostTensor(noise($0.shape.count), shape: $0.shape))
            })
        var (alone, inARow): ([Double], [Double]) = ([], [])
        var division = ""
        for run in 0...runs {
            let times = try await compiled.measure(inputs)
            guard run > 0 else { continue }
            // What brings inputs and takes results is not a part of it.
            let others = times.calls.filter { ["load", "store", "copy", "concatenate"].contains($0.shader) }
                .reduce(0) { $0 + $1.seconds }
            alone += [(times.calls.reduce(0) { $0 + $1.seconds } - others) / Double(Workload.inARow)]
            division = times.calls.first { !$0.division.isEmpty }?.division ?? ""
            inARow += [(times.seconds - others) / Double(Workload.inARow)]
        }
        let seconds = median(alone)
        let rate = Double(workload.operations) / seconds / 1e12
        let share = peer.map { $0 / seconds }
        print(
            workload.name
                + String(
                    format: ": %.1f µs (%.1f in a row), %.1f TFLOP/s", seconds * 1e6, median(inARow) * 1e6,
                    rate)
                + (share.map { String(format: ", %.0f %% of the peer's speed", $0 * 100) } ?? "")
                + (division.isEmpty ? "" : ", \(division)"))
        try printLine(
            Line(
                what: workload.name, seconds: seconds, secondsInARow: median(inARow), tflops: rate,
                division: division,
                shareOfPeer: share))
    }
}
