import Checkpoints
import Foundation
import Testing

@testable import Sampling

@Suite("Brownian paths are torchsde's")
struct BrownianTreeTests {
    private struct Golden: Decodable {
        struct Step: Decodable {
            let from: Double
            let to: Double
            let values: [Float]
        }
        struct Tree: Decodable {
            let seed: UInt64
            let steps: [Step]
        }
        struct Seed: Decodable {
            let entropy: UInt64
            let key: [UInt64]
            let word: UInt32
        }
        let range: [Double]
        let trees: [Tree]
        let seeds: [Seed]

        init(from file: String = "noise/brownian.json") throws {
            let url = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .appending(path: "Golden").appending(path: file)
            self = try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url))
        }
    }

    @Test func seedsAreNumpys() throws {
        let seeds = try Golden().seeds
        #expect(seeds.count == 16)
        for seed in seeds {
            let sequence = SeedSequence(entropy: seed.entropy, spawnKey: seed.key, poolSize: 24)
            #expect(sequence.firstWord == seed.word, "\(seed)")
        }
    }

    @Test func incrementsAreTorchsdes() throws {
        let golden = try Golden()
        let range = Double(Float(golden.range[0]))...Double(Float(golden.range[1]))
        #expect(golden.trees.count == 3)
        for tree in golden.trees {
            #expect(tree.steps.count == 6)
            let own = BrownianTree(seed: tree.seed, over: range, source: .torchCPU)
            for step in tree.steps {
                let noise = own.noise(count: step.values.count, from: step.from, to: step.to)
                #expect(noise.count == 20)
                let difference = zip(noise, step.values).map { abs($0 - $1) }.max() ?? .infinity
                // A step of a millionth divides what float32 keeps of the path.
                let limit: Float = step.from - step.to > 0.01 ? 2e-5 : 0.02
                #expect(difference < limit, "seed \(tree.seed), \(step.from) to \(step.to)")
            }
        }
    }

    @Test func partsAddUpToTheWhole() {
        let tree = BrownianTree(seed: 7, over: 0.03...14.6, source: .torchCUDA)
        let whole = tree.noise(count: 64, from: 14.6, to: 1)
        let (first, second) = (
            tree.noise(count: 64, from: 14.6, to: 5), tree.noise(count: 64, from: 5, to: 1)
        )
        for index in whole.indices {
            let sum = first[index] * Float(9.6).squareRoot() + second[index] * Float(4).squareRoot()
            #expect(abs(sum - whole[index] * Float(13.6).squareRoot()) < 1e-4)
        }
    }
}
