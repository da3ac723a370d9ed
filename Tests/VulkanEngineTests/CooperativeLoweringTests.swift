import EngineConformance
import Foundation
import TensorGraph
import Testing

@testable import VulkanEngine

/// What is made of graphs, shaders and files for devices with cooperative matrices, on any device.
struct CooperativeLoweringTests {
    /// As NVIDIA's devices have them.
    static let matrices = CooperativeMatrices(
        m: 16, n: 16, k: 16, subgroup: .init(count: 32, isRequired: false))

    /// What `matrix_layout.comp` writes on an H200.
    static let layout: [Float] = {
        let lanes = (0..<32).flatMap { lane in
            (0..<8).map { element in
                let row = lane / 4 + element / 2 % 2 * 8
                let column = lane % 4 * 2 + element % 2 + element / 4 * 8
                return Float(row * 16 + column)
            }
        }
        return lanes + lanes
    }()

    private func tuning() throws -> Tuning {
        var tuning = try VulkanEngineTests.engine.get().tuning
        tuning.sharedMemoryByteCount = 49152
        tuning.largestWorkgroup = 1024
        tuning.matrices = Self.matrices
        return tuning
    }

    @Test func productsAndAttentionGoToMatrices() throws {
        var tuning = try tuning()
        for one in try cooperativeProductCases() {
            let shaders = try Lowering(one.graph, isHalf: true, tuning: tuning).calls.map(\.kernel.shader)
            #expect(shaders.contains { $0.hasFullSubgroups }, "\(one.name)")
            #expect(!shaders.contains { $0 == .matrixMultiply || $0 == .convolution }, "\(one.name)")
            // Numbers of 32 bits are none of their business.
            let wide = try Lowering(one.graph, isHalf: false, tuning: tuning).calls.map(\.kernel.shader)
            #expect(!wide.contains { $0.hasFullSubgroups }, "\(one.name)")
        }
        for one in try cooperativeAttentionCases() {
            tuning.layout = nil
            var shaders = try Lowering(one.graph, isHalf: true, tuning: tuning).calls.map(\.kernel.shader)
            #expect(shaders.contains(.cooperativeAttention), "\(one.name)")
            tuning.layout = MatrixLayout(Self.layout)
            shaders = try Lowering(one.graph, isHalf: true, tuning: tuning).calls.map(\.kernel.shader)
            let isMasked = one.inputs.keys.contains("m")
            #expect(shaders.contains(isMasked ? .cooperativeAttention : .registerAttention), "\(one.name)")
        }
    }

    /// Drivers of Intel's GPUs say 32, and hold matrices by 8 or 16; those of AMD's have 64 and 32.
    @Test func theDevicesOwnSizeOfSubgroupsIsTriedFirst() {
        func tried(_ own: Int, _ least: Int, _ most: Int) -> [String] {
            CooperativeMatrices.subgroupSizes(own: own, least: least, most: most).map {
                "\($0.count)\($0.isRequired ? " asked" : "")"
            }
        }
        #expect(tried(32, 8, 32) == ["32 asked", "32", "16 asked", "8 asked"])
        #expect(tried(64, 32, 64) == ["64 asked", "64", "32 asked"])
        #expect(tried(32, 32, 64) == ["32 asked", "32", "64 asked"])
        // Those that have one, as NVIDIA's and software, are not asked; nor those that cannot be.
        #expect(tried(32, 32, 32) == ["32"] && tried(8, 8, 8) == ["8"] && tried(16, 0, 0) == ["16"])
    }

    @Test func onlyKernelsOfMatricesAskForASizeOfSubgroups() throws {
        var tuning = try tuning()
        for isRequired in [false, true] {
            tuning.matrices = CooperativeMatrices(
                m: 16, n: 16, k: 16, subgroup: .init(count: 64, isRequired: isRequired))
            var sizes: [Int?] = []
            for one in try cooperativeProductCases() + cooperativeAttentionCases() {
                for kernel in try Lowering(one.graph, isHalf: true, tuning: tuning).calls.map(\.kernel) {
                    #expect(kernel.requiredSubgroupSize == nil || kernel.shader.hasFullSubgroups)
                    guard kernel.shader.hasFullSubgroups else { continue }
                    #expect(kernel.constants[0] % 64 == 0)
                    sizes.append(kernel.requiredSubgroupSize)
                }
            }
            #expect(!sizes.isEmpty && sizes.allSatisfy { $0 == (isRequired ? 64 : nil) })
        }
    }

    /// Behind the end of a row is whatever was in memory.
    @Test func sumsThatEndWithinAnEightAreNotOfMatrices() throws {
        let row = try ConformanceCase("one row", weights: ["w": ([77, 64], .float16)]) {
            ["y": matrixMultiply($0.input("x", [1, 77]), $0.weights.tensor("w", [77, 64]))]
        }
        let part = try ConformanceCase("a part of each row", weights: ["w": ([42, 64], .float16)]) {
            let x = slice($0.input("x", [70, 48]), axis: 1, 0..<42)
            return ["y": matrixMultiply(x, $0.weights.tensor("w", [42, 64]))]
        }
        for one in [row, part] {
            let shaders = try Lowering(one.graph, isHalf: true, tuning: tuning()).calls.map(\.kernel.shader)
            #expect(shaders.contains(.matrixMultiply), "\(one.name)")
        }
    }

    @Test func sumsAreInPartsWhereThatIsChosen() throws {
        var tuning = try tuning()
        tuning.productChoice = ProductChoice(tile: ProductTile(64, 64, each: 32, 32), parts: 4)
        let one = try #require(try cooperativeProductCases().first { $0.name == "linear 3 320 200" })
        let lowering = try Lowering(one.graph, isHalf: true, tuning: tuning)
        let product = try #require(lowering.calls.first { $0.kernel.shader == .cooperativeMatrixMultiply })
        let sum = try #require(lowering.calls.first { $0.kernel.shader == .productParts })
        // Ten steps of 32 are four parts of three at most.
        #expect(product.workgroups == Workgroups(4, 1, 4))
        #expect(sum.division == product.division && sum.parameters[0] == 4)
        // What is added, and the function, are the sum's.
        #expect(sum.operands.count { $0.view.storage != .absent } == 4)
    }

    @Test func gatesAreAppliedWithTheProduct() throws {
        var tuning = try tuning()
        for one in try cooperativeProductCases() where one.name.hasPrefix("gated") {
            func shaders() throws -> [Kernel.Shader] {
                try Lowering(one.graph, isHalf: true, tuning: tuning).calls.map(\.kernel.shader)
                    .filter { $0 != .load && $0 != .store }
            }
            tuning.matrices = Self.matrices
            #expect(try shaders() == [.cooperativeMatrixMultiply], "\(one.name)")
            tuning.matrices = nil
            #expect(try shaders() == [.matrixMultiply, .geglu], "\(one.name)")
        }
    }

    @Test func whatIsMeasuredIsTakenForItsShapeAlone() throws {
        var tuning = try tuning()
        let one = try #require(try cooperativeProductCases().first { $0.name == "linear 200 296 72" })
        func division() throws -> ProductDivision {
            try #require(
                Lowering(one.graph, isHalf: true, tuning: tuning).calls.compactMap(\.division).first)
        }
        let usual = try division()
        let other = ProductChoice(tile: ProductTile(64, 160, each: 32, 80, stages: 2), parts: 2)
        #expect(usual.choice != other)
        tuning.trial = (other, [])
        #expect(try division() == usual)
        tuning.trial = (other, [usual.shape])
        #expect(try division().choice == other)
        let candidates = tuning.candidates(for: usual.shape, Self.matrices)
        #expect(candidates.contains(ProductChoice(tile: ProductTile(64, 64, each: 32, 32), parts: 1)))
        #expect(Set(candidates).count == candidates.count)
    }

    @Test func tilesOfMoreWorkgroupsThanThereAreAreNotTaken() throws {
        var tuning = try tuning()
        tuning.mostWorkgroups = Workgroups(65535, 65535, 65535)
        func shape(_ height: Int, _ width: Int) -> ProductShape {
            ProductShape(
                kind: .convolution(height: 3, width: 3, stride: 1, enlargement: 1), rows: height * width,
                columns: 128, depth: 1152, batches: 1)
        }
        let small = ProductChoice(tile: ProductTile(32, 64, each: 16, 32), parts: 1)
        #expect(tuning.candidates(for: shape(512, 512), Self.matrices).contains(small))
        let candidates = tuning.candidates(for: shape(1024, 2048), Self.matrices)
        #expect(!candidates.isEmpty && candidates.allSatisfy { $0.tile.rows >= 64 })
        // Nor where it was measured for another device.
        tuning.productChoice = small
        #expect(tuning.choice(for: shape(512, 512), Self.matrices) == small)
        #expect(tuning.choice(for: shape(1024, 2048), Self.matrices)?.tile.rows == 128)
        #expect(tuning.choice(for: shape(4096, 4096), Self.matrices) == nil)
    }

    /// Scores that stay in registers are not what a mask is added to: the two have tiles, and times, of their own.
    @Test func maskedAttentionIsMeasuredByItself() throws {
        var tuning = try tuning()
        tuning.layout = MatrixLayout(Self.layout)
        func shape(isMasked: Bool) -> ProductShape {
            ProductShape(
                kind: .attention(size: 80, valueSize: 80, isMasked: isMasked), rows: 4096, columns: 4096,
                depth: 80, batches: 16)
        }
        for isMasked in [false, true] {
            let tiles = tuning.attentionTiles(
                size: 80, valueSize: 80, inRegisters: !isMasked, Self.matrices)
            let candidates = tuning.candidates(for: shape(isMasked: isMasked), Self.matrices)
            #expect(candidates.map(\.tile) == tiles)
        }
        for one in try cooperativeAttentionCases() {
            for call in try Lowering(one.graph, isHalf: true, tuning: tuning).calls {
                guard case .attention(_, _, let isMasked)? = call.division?.shape.kind else { continue }
                #expect(isMasked == (call.kernel.shader == .cooperativeAttention), "\(one.name)")
            }
        }
        #expect(shape(isMasked: false) != shape(isMasked: true))
    }

    @Test func choicesAreKept() throws {
        let file = FileManager.default.temporaryDirectory
            .appending(path: "easel-tuning-\(UInt64.random(in: 0...UInt64.max))/choices.json")
        defer { try? FileManager.default.removeItem(at: file.deletingLastPathComponent()) }
        let shape = ProductShape(
            kind: .convolution(height: 3, width: 3, stride: 1, enlargement: 1), rows: 128, columns: 320,
            depth: 2880, batches: 1)
        let other = ProductShape(
            kind: .matrices(byColumns: false), rows: 77, columns: 768, depth: 768, batches: 1)
        let choice = ProductChoice(tile: ProductTile(128, 160, each: 32, 80, stages: 2), parts: 4)
        ProductChoices(file: file).keep([shape: choice])
        // Another process adds what it measured.
        ProductChoices(file: file).keep([other: choice])
        let read = ProductChoices(file: file)
        #expect(read[shape] == choice && read[other] == choice)
        // A tile that no shader is made for, and a file that is none.
        let text = try String(contentsOf: file, encoding: .utf8)
        try text.replacing("\"rows\":128,\"stages\"", with: "\"rows\":136,\"stages\"")
            .write(to: file, atomically: true, encoding: .utf8)
        #expect(ProductChoices(file: file)[shape] == nil)
        try "[".write(to: file, atomically: true, encoding: .utf8)
        #expect(ProductChoices(file: file)[shape] == nil)
    }

    @Test func layoutsAreKnownOrNotTaken() throws {
        let layout = try #require(MatrixLayout(Self.layout))
        #expect(layout.lower == 0b1100_1100 && layout.righter == 0b1111_0000)
        for index in [0, 77, 255, 256, 400, 511] {
            var other = Self.layout
            other[index] += 1
            #expect(MatrixLayout(other) == nil)
        }
        for number in [Float.nan, .infinity, 0.5, -1] {
            var other = Self.layout
            other[3] = number
            #expect(MatrixLayout(other) == nil)
        }
        // Factors that lie otherwise than sums.
        #expect(MatrixLayout(Array(Self.layout.prefix(256)) + Self.layout.prefix(256).reversed()) == nil)
    }

    @Test(arguments: [
        Kernel.Shader.cooperativeMatrixMultiply, .cooperativeConvolution, .cooperativeAttention,
        .registerAttention, .matrixLayout, .matrixRate,
    ])
    func modulesHaveKhronosMatrices(shader: Kernel.Shader) throws {
        let given = try #require(Kernel(shader: shader, isHalf: true, constants: []).words)
        let made = CooperativeModule(given).words
        func instructions(_ words: [UInt32]) -> [(opcode: UInt32, operands: [UInt32])] {
            var found: [(UInt32, [UInt32])] = []
            var at = 5
            while at < words.count {
                let count = Int(words[at] >> 16)
                found.append((words[at] & 0xFFFF, Array(words[at + 1..<at + count])))
                at += count
            }
            return found
        }
        let (before, after) = (instructions(given), instructions(made))
        // Nothing of NVIDIA's is left, and nothing is lost but that three constants came in.
        #expect(
            !after.contains { (5357...5362).contains($0.opcode) || $0.opcode == 17 && $0.operands == [5357] })
        #expect(after.count == before.count + 3)
        #expect(made[3] == given[3] + 3)
        let constants = Dictionary(
            uniqueKeysWithValues: after.filter { $0.opcode == 43 }.map { ($0.operands[1], $0.operands[2]) })
        let uses = after.filter { $0.opcode == 4456 }.map { constants[$0.operands[5]] }
        #expect(Set(uses).isSubset(of: [0, 1, 2]) && Set(uses).count == (shader == .matrixLayout ? 2 : 3))
        for (old, new) in zip(before.filter { $0.opcode == 5359 }, after.filter { $0.opcode == 4457 }) {
            // The stride is where the order was.
            #expect(new.operands[4] == old.operands[3])
            #expect([0, 1].contains(constants[new.operands[3]]))
        }
    }
}
