import EngineConformance
import EngineInterface
import OpenVINOEngine
import ReferenceEngine
import TensorGraph
import Testing

@testable import Networks

@Suite("Cells that are alike are merged")
struct TokenMergingTests {
    /// A picture's cells as its formulas have them, in loops.
    private struct Direct {
        let cells: [[Float]]
        let kept: [Int]
        let others: [Int]
        /// For each of the others, its place among those that stay.
        var nearest: [Int] = []
        /// The others that are merged, and those that are not, the most alike first.
        var merged: [Int] = []
        var alone: [Int] = []

        init(_ cells: [[Float]], height: Int, width: Int, ratio: Double) {
            self.cells = cells
            let corners = (0..<height / 2).flatMap { row in (0..<width / 2).map { 2 * row * width + 2 * $0 } }
            kept = corners
            others = (0..<height * width).filter { !corners.contains($0) }
            func cosine(_ one: [Float], _ other: [Float]) -> Float {
                func dot(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).map(*).reduce(0, +) }
                return dot(one, other) / (dot(one, one) * dot(other, other)).squareRoot()
            }
            var likeness: [Float] = []
            for cell in others {
                let all = kept.map { cosine(cells[cell], cells[$0]) }
                likeness.append(all.max()!)
                nearest.append(all.firstIndex(of: all.max()!)!)
            }
            let order = others.indices.sorted { likeness[$0] > likeness[$1] }
            let count = min(Int(Double(height * width) * ratio), others.count)
            (merged, alone) = (Array(order.prefix(count)), Array(order.dropFirst(count)))
        }

        func merged(_ values: [[Float]]) -> [[Float]] {
            let means = kept.indices.map { place in
                let all =
                    [values[kept[place]]]
                    + merged.filter { nearest[$0] == place }.map { values[others[$0]] }
                return values[0].indices.map { channel in
                    all.map { $0[channel] }.reduce(0, +) / Float(all.count)
                }
            }
            return alone.map { values[others[$0]] } + means
        }

        func restored(_ values: [[Float]]) -> [[Float]] {
            var result = cells
            for (place, cell) in kept.enumerated() { result[cell] = values[alone.count + place] }
            for other in merged { result[others[other]] = values[alone.count + nearest[other]] }
            for (place, other) in alone.enumerated() { result[others[other]] = values[place] }
            return result
        }
    }

    @Test(arguments: [
        (4, 4, 0.5), (2, 2, 0.25), (5, 3, 0.3), (4, 6, 0.75), (3, 5, 0.75), (7, 2, 0.1), (8, 8, 0.6),
    ])
    func asTheFormulasSay(_ height: Int, _ width: Int, _ ratio: Double) async throws {
        let (pictures, channels, cells) = (2, 6, height * width)
        let graph = try Graph.build("merging") { builder in
            let x = builder.input("x", [pictures, cells, channels])
            let merging = TokenMerging(x, height: height, width: width, ratio: ratio, builder)
            let merged = merging.merged(builder.input("values", [pictures, cells, channels]))
            return ["merged": merged, "restored": merging.restored(merged * 2 + 1)]
        }
        var random = SplitMix64("\(height) \(width) \(ratio)")
        func values() -> [[[Float]]] {
            (0..<pictures).map { _ in
                (0..<cells).map { _ in (0..<channels).map { _ in Float.random(in: -1...1, using: &random) } }
            }
        }
        let (x, y) = (values(), values())
        let direct = x.map { Direct($0, height: height, width: width, ratio: ratio) }
        let merged = zip(direct, y).map { $0.merged($1) }
        let restored = zip(direct, merged).map { direct, values in
            direct.restored(values.map { $0.map { $0 * 2 + 1 } })
        }
        #expect(
            merged[0].count == cells - TokenMerging.mergedCount(height: height, width: width, ratio: ratio))
        func flat(_ values: [[[Float]]]) -> [Float] { values.joined().flatMap { $0 } }
        func tensor(_ values: [[[Float]]]) -> HostTensor {
            HostTensor(flat(values), shape: [pictures, cells, channels])
        }
        for engine in [ReferenceEngine(), try OpenVINOEngine()] as [any Engine] {
            let outputs = try await engine.compile(graph, weights: InMemoryWeights(), precision: .float32)
                .run(["x": tensor(x), "values": tensor(y)])
            for (name, wanted) in [("merged", flat(merged)), ("restored", flat(restored))] {
                let given = try #require(outputs[name]).floats
                #expect(given.count == wanted.count)
                let gap = zip(given, wanted).map { abs($0 - $1) }.max() ?? .infinity
                #expect(gap < 1e-5, "\(engine.name), \(name): differs by \(gap)")
            }
        }
    }

    /// Attention over four times the same cells is attention over one of each.
    @Test func ofEqualCellsAttentionIsTheSame() async throws {
        let (height, width, channels) = (4, 6, 8)
        let shape: Shape = [1, height * width, channels]
        let graph = try Graph.build("attention") { builder in
            let x = builder.input("x", shape)
            func attended(_ x: Tensor) -> Tensor {
                let heads = reshape(x, [1, 1, x.size(1), channels])
                return reshape(scaledDotProductAttention(queries: heads, keys: heads, values: heads), x.shape)
            }
            let merging = TokenMerging(x, height: height, width: width, ratio: 0.75, builder)
            return ["whole": attended(x), "merged": merging.restored(attended(merging.merged(x)))]
        }
        let values = (0..<height * width).flatMap { cell -> [Float] in
            let block = Float(cell / width / 2 * (width / 2) + cell % width / 2)
            return (0..<channels).map { Float($0 % 3) + block * Float($0) * 0.3 - 1 }
        }
        let outputs = try await OpenVINOEngine().compile(
            graph, weights: InMemoryWeights(), precision: .float32
        ).run(["x": HostTensor(values, shape: shape)])
        let gap = zip(outputs["whole"]!.floats, outputs["merged"]!.floats).map { abs($0 - $1) }.max()!
        #expect(gap < 1e-5, "differs by \(gap)")
    }

    @Test func theMostIsThreeOfFour() {
        #expect(TokenMerging.mergedCount(height: 64, width: 64, ratio: 0.5) == 2048)
        #expect(TokenMerging.mergedCount(height: 64, width: 64, ratio: 0.75) == 3072)
        #expect(TokenMerging.mergedCount(height: 1, width: 64, ratio: 0.5) == 0)
        #expect(TokenMerging.mergedCount(height: 64, width: 64, ratio: 0) == 0)
        #expect(TokenMerging.mergedCount(height: 3, width: 3, ratio: 0.75) == 6)
    }
}
