import Checkpoints
import EngineConformance
import EngineInterface
import Foundation
import OpenVINOEngine
import ReferenceEngine
import TensorGraph
import Testing

@testable import Networks

@Suite("Networks without edges")
struct SeamlessTests {
    private static let models = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Golden/models/tiny-sd1")

    /// Values `[1, channels, height, width]`, moved along the rows and columns, with what goes out coming in again.
    private func rolled(
        _ values: [Float], channels: Int, height: Int, width: Int, by rows: Int, _ columns: Int
    )
        -> [Float]
    {
        (0..<channels).flatMap { channel in
            (0..<height).flatMap { row in
                (0..<width).map { column in
                    let from = (row + height - rows) % height * width + (column + width - columns) % width
                    return values[channel * height * width + from]
                }
            }
        }
    }

    private func difference(_ one: [Float], _ other: [Float]) -> Float {
        zip(one, other).map { abs($0 - $1) }.max() ?? .infinity
    }

    /// Where a picture has no edges, its content moved by a multiple of the coarsest cell comes out moved.
    @Test(arguments: [true, false]) func movedLatentsMakeMovedOutput(_ wraps: Bool) async throws {
        let folder = try ModelFolder(at: Self.models)
        let unet = UNet(try UNetConfiguration(folder.configuration("unet")))
        let weights = try folder.checkpoint("unet")
        let (height, width) = (8, 16)
        let graph = try unet.graph(batch: 1, height: height, width: width, tokens: 3, weights: weights)
            .wrapping(WrappedAxes(rows: wraps, columns: wraps))
        let engine = try OpenVINOEngine(threads: 1)
        let compiled = try await engine.compile(graph, weights: weights, precision: .float32)
        let latents = (0..<4 * height * width).map { Float(sin(Double($0 * $0 % 97))) }
        let context: [Float] = (0..<3 * 32).map { Float(cos(Double($0))) }
        func run(_ latents: [Float]) async throws -> [Float] {
            try await compiled.run([
                "latents": HostTensor(latents, shape: [1, 4, height, width]),
                "timestep": HostTensor([Float(500)], shape: [1]),
                "context": HostTensor(context, shape: [1, 3, 32]),
            ])["prediction"]!.floats
        }
        let own = try await run(latents)
        let moved = try await run(
            rolled(latents, channels: 4, height: height, width: width, by: 4, 8))
        let gap = difference(
            moved, rolled(own, channels: 4, height: height, width: width, by: 4, 8))
        if wraps { #expect(gap < 1e-4, "differs by \(gap)") } else { #expect(gap > 1e-2) }
    }

    @Test func oneAxisAloneMayWrap() async throws {
        let values = (0..<12).map { Float($0) }
        let x = HostTensor(values, shape: [1, 1, 3, 4])
        let kernel = HostTensor([Float](repeating: 1, count: 9), shape: [1, 1, 3, 3])
        let graph = try Graph.build("box") { builder in
            let kernel = builder.constant(kernel)
            return [
                "y": convolution(
                    builder.input("x", [1, 1, 3, 4]), kernel: kernel, Convolution(padding: .init(1)))
            ]
        }
        func sums(_ axes: WrappedAxes) async throws -> [Float] {
            let compiled = try await ReferenceEngine().compile(
                graph.wrapping(axes), weights: InMemoryWeights(), precision: .float32)
            return try await compiled.run(["x": x])["y"]!.floats
        }
        func expected(_ axes: WrappedAxes) -> [Float] {
            (0..<3).flatMap { row in
                (0..<4).map { column in
                    var sum: Float = 0
                    for (down, across) in (-1...1).flatMap({ down in (-1...1).map { (down, $0) } }) {
                        let (r, c) = (row + down, column + across)
                        guard axes.rows || (0..<3).contains(r), axes.columns || (0..<4).contains(c) else {
                            continue
                        }
                        sum += values[(r + 3) % 3 * 4 + (c + 4) % 4]
                    }
                    return sum
                }
            }
        }
        for rows in [false, true] {
            for columns in [false, true] {
                let axes = WrappedAxes(rows: rows, columns: columns)
                #expect(try await sums(axes) == expected(axes), "\(axes)")
            }
        }
    }
}
