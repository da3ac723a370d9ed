import EngineConformance
import EngineInterface
import TensorGraph
import Testing

@testable import VulkanEngine

/// Vulkan held to the reference engine on Mesa's software driver, with each call checked by the validation layers.
@Suite(.serialized) struct VulkanEngineTests {
    /// One for all tests: drivers take long to start.
    static let instance = Result { try VulkanInstance(isValidating: true) }
    static let engine = Result { try VulkanEngine("llvmpipe", of: instance.get()) }

    var engine: VulkanEngine
    let objections: VulkanInstance.Objections

    init() throws {
        engine = try Self.engine.get()
        objections = try #require(Self.instance.get().objections)
    }

    private func expectConformance(
        _ engine: VulkanEngine, _ precision: Precision, _ cases: [ConformanceCase],
        at location: SourceLocation = #_sourceLocation
    ) async {
        let failures = await conformanceFailures(of: engine, precision: precision, cases: cases)
        #expect(
            failures.isEmpty, "\(failures.map(\.description).joined(separator: "\n"))",
            sourceLocation: location)
        #expect(objections.all == [], sourceLocation: location)
    }

    @Test(arguments: [Precision.float32, .float16])
    func primitivesConform(precision: Precision) async throws {
        await expectConformance(engine, precision, try primitiveCases())
    }

    @Test(arguments: [Precision.float32, .float16])
    func compositesConform(precision: Precision) async throws {
        await expectConformance(engine, precision, try compositeCases())
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func randomShapesConform(seed: UInt64) async throws {
        for precision in [Precision.float32, .float16] {
            await expectConformance(engine, precision, try randomCases(count: 12, seed: seed))
        }
    }

    /// The tiles that are otherwise taken for large products on GPUs, and sums that end within a tile.
    @Test func largeTilesConform() async throws {
        var engine = engine
        (engine.tuning.largestTile, engine.tuning.fewestTiles) = (128, 1)
        await expectConformance(engine, .float16, try productCases())
    }

    /// More rows of tiles than a device has workgroups on one axis, as many have in pictures of four megapixels.
    @Test(arguments: [Precision.float32, .float16])
    func foldedRowsConform(precision: Precision) async throws {
        var engine = engine
        engine.tuning.mostWorkgroups = Workgroups(65535, 2, 65535)
        let cases = try productCases()
        let isFolded = try cases.map { one in
            try Lowering(one.graph, isHalf: precision == .float16, tuning: engine.tuning).calls.contains {
                [.matrixMultiply, .convolution].contains($0.kernel.shader) && $0.kernel.constants[7] == 1
            }
        }
        #expect(Set(isFolded) == [false, true])
        await expectConformance(engine, precision, cases)
    }

    /// Devices have 16 KiB at least, of which the largest tiles take a little more.
    @Test func largeTilesAreNotTakenWhereTheyDoNotFit() throws {
        var tuning = engine.tuning
        (tuning.largestTile, tuning.fewestTiles) = (128, 1)
        for (byteCount, size) in [(16384, 64), (16512, 128)] as [(Int, Int32)] {
            tuning.sharedMemoryByteCount = byteCount
            let one = try #require(try productCases().first { $0.name == "linear 130 20 150" })
            let lowering = try Lowering(one.graph, isHalf: false, tuning: tuning)
            #expect(lowering.tile(rows: 130, columns: 150).rows == size, "\(byteCount)")
        }
    }

    @Test func workgroupsAreFoldedWhereAnAxisIsTooShort() {
        let most = Workgroups(65535, 65535, 65535)
        #expect(Workgroups(2, 65535, 3).foldingRows(most) == Workgroups(2, 65535, 3))
        #expect(Workgroups(2, 65536, 3).foldingRows(most) == Workgroups(4, 32768, 3))
        #expect(Workgroups(1, 131_071).foldingRows(most) == Workgroups(3, 43691))
        #expect(!Workgroups(65536).fit(most) && Workgroups(65535, 65535, 65535).fit(most))
    }

    @Test func workgroupsThatADeviceDoesNotHaveAreRefused() async throws {
        var engine = engine
        engine.tuning.mostWorkgroups = Workgroups(1, 1, 1)
        let one = try ConformanceCase("large") { ["y": $0.input("x", [1000]) * 2] }
        let limited = engine
        let error = await #expect(throws: EngineError.self) {
            try await limited.compile(one.graph, weights: one.weights, precision: .float32)
        }
        #expect(error?.description.contains("4×1×1 workgroups, and the device has 1×1×1") == true)
    }

    /// A workgroup that shares so little that the scores of attention are in memory after all.
    @Test func littleSharedMemoryConforms() async throws {
        var engine = engine
        engine.tuning.sharedMemoryByteCount = 2048
        let cases = try compositeCases().filter { $0.name.contains("attention") || $0.name.contains("block") }
        #expect(cases.count > 10)
        await expectConformance(engine, .float32, cases)
    }

    /// Weights that go through their stages in many parts, in all types and orders.
    @Test func smallStagesConform() async throws {
        var engine = engine
        engine.tuning.stagingByteCount = 512
        let cases = try (primitiveCases() + compositeCases() + productCases()).filter {
            !$0.graph.weights.isEmpty
                && $0.graph.weights.allSatisfy { $0.type.shape.dimensions.dropFirst().reduce(4, *) <= 512 }
        }
        #expect(cases.count > 10)
        await expectConformance(engine, .float32, cases)
    }

    /// Additions and functions that follow a product, in the orders that networks have them and in others.
    @Test(arguments: [Precision.float32, .float16])
    func whatFollowsProductsConforms(precision: Precision) async throws {
        await expectConformance(engine, precision, try fusionCases())
    }

    /// Keys that are masked before any that is not, more of them than a workgroup has at one time, by either number that
    /// programs mask with.
    @Test(arguments: [-Float.infinity, -Float.greatestFiniteMagnitude])
    func maskedKeysConform(masked: Float) async throws {
        let (queries, keys) = (9, 77)
        let one = try ConformanceCase("masked keys") { builder in
            let mask = (0..<queries).flatMap { row in (0..<keys).map { $0 < row * 9 ? masked : 0 } }
            let x = builder.input("x", [2, 3, keys, 8])
            return [
                "y": scaledDotProductAttention(
                    queries: builder.input("q", [2, 3, queries, 8]), keys: x, values: x,
                    mask: builder.constant(HostTensor(mask, shape: [1, 1, queries, keys])))
            ]
        }
        await expectConformance(engine, .float32, [one])
        if masked.isInfinite { await expectConformance(engine, .float16, [one]) }
    }

    /// Compilers that take no number for infinite, as Metal's do, make anything of one.
    @Test func kernelsOfEveryDeviceBeginWithFiniteNumbers() throws {
        var count = 0
        for shader in Kernel.Shader.allCases where !shader.hasFullSubgroups {
            for isHalf in [false, true] {
                guard let words = Kernel(shader: shader, isHalf: isHalf, constants: []).words else {
                    continue
                }
                count += 1
                var at = 5
                while at < words.count {
                    // OpConstant: a type, a result, and its bits.
                    if words[at] == 4 << 16 | 43 {
                        #expect(words[at + 3] & 0x7FFF_FFFF != 0x7F80_0000, "\(shader), \(isHalf)")
                    }
                    at += max(Int(words[at] >> 16), 1)
                }
            }
        }
        #expect(count > 40)
    }

    @Test func runsGiveTheSameAgain() async throws {
        let one = try #require(try compositeCases().first { $0.name == "transformer block" })
        let compiled = try await engine.compile(one.graph, weights: one.weights, precision: .float32)
        let first = try await compiled.run(one.inputs)
        for _ in 0..<3 { #expect(try await compiled.run(one.inputs) == first) }
    }

    /// Runs that are many submissions, which drivers would take too long for as one.
    @Test(arguments: [1, 10_000])
    func runsInPartsGiveTheSame(operationCount: Int) async throws {
        for one in try compositeCases() where one.name.contains("block") {
            let whole = try await engine.compile(one.graph, weights: one.weights, precision: .float32)
            var divided = engine
            divided.tuning.submittedOperationCount = operationCount
            let parts = try await divided.compile(one.graph, weights: one.weights, precision: .float32)
            let expected = try await whole.run(one.inputs)
            for _ in 0..<3 { #expect(try await parts.run(one.inputs) == expected, "\(one.name)") }
        }
        #expect(objections.all == [])
    }

    @Test func submissionsEndWhereTheyHaveEnoughToDo() {
        func call(_ rows: Int?) -> KernelCall {
            KernelCall(
                kernel: Kernel(shader: .copy, isHalf: false, constants: []), operands: [], parameters: [],
                workgroups: Workgroups(1),
                products: rows.map { ProductSizes(rows: $0, columns: 1, depth: 1) })
        }
        // Each row is a multiplication and an addition.
        let calls = [nil, 2, 3, nil, 1, 9, 1, nil].map(call)
        #expect(ResidentWeights.sections(calls, operationCount: 10) == [0..<4, 4..<5, 5..<6, 6..<8])
        #expect(ResidentWeights.sections(calls, operationCount: 100) == [0..<8])
        #expect(ResidentWeights.sections([], operationCount: 1) == [0..<0])
    }

    @Test func memoryIsSharedByValuesInTurn() async throws {
        let one = try #require(try compositeCases().first { $0.name == "transformer block" })
        let lowering = try Lowering(one.graph, isHalf: false, tuning: engine.tuning)
        let plan = MemoryPlan(lowering.calls, byteCounts: lowering.valueByteCounts)
        let sum = lowering.valueByteCounts.reduce(0) { $0 + ($1 + 255) & ~255 }
        #expect(plan.byteCount < sum)
        // No two values that are there at one time have a byte in common.
        var lives: [Int: ClosedRange<Int>] = [:]
        for (index, call) in lowering.calls.enumerated() {
            for operand in call.operands {
                guard case .value(let value) = operand.view.storage else { continue }
                lives[value] = (lives[value]?.lowerBound ?? index)...index
            }
        }
        for (left, first) in lives {
            for (right, second) in lives where left < right && first.overlaps(second) {
                let (a, b) = (plan.offsets[left], plan.offsets[right])
                #expect(a + lowering.valueByteCounts[left] <= b || b + lowering.valueByteCounts[right] <= a)
            }
        }
    }

    @Test func weightsAreInMemoryOnce() async throws {
        for one in try compositeCases() {
            let lowering = try Lowering(one.graph, isHalf: false, tuning: engine.tuning)
            let sources = lowering.weights.map(\.source)
            #expect(Set(sources).count == sources.count, "\(one.name)")
        }
    }

    @Test func productsOfOneValueAreOne() async throws {
        let one = try #require(try compositeCases().first { $0.name == "transformer block" })
        let lowering = try Lowering(one.graph, isHalf: false, tuning: engine.tuning)
        let joined = lowering.weights.compactMap { weight -> Int? in
            if case .rows(let parts, _) = weight.source { parts.count } else { nil }
        }
        // Keys and values.
        #expect(joined == [2])
    }

    @Test func whatAllPicturesHaveAddedTakesNoKernel() async throws {
        let names = ["bias, one bias more for all pictures, residual", "two biases of channels alone"]
        for one in try fusionCases() where names.contains(one.name) {
            let lowering = try Lowering(one.graph, isHalf: false, tuning: engine.tuning)
            let shaders = lowering.calls.map(\.kernel.shader).filter { ![.load, .copy, .store].contains($0) }
            #expect(shaders == [.convolution], "\(one.name)")
        }
    }

    @Test func picturesStayAsTheyLie() async throws {
        let one = try #require(try compositeCases().first { $0.name == "residual block" })
        let lowering = try Lowering(one.graph, isHalf: false, tuning: engine.tuning)
        // The picture is given and taken row by row; between, its channels are nearest, and nothing is moved.
        #expect(lowering.calls.map(\.kernel.shader) == [.load, .groupNormWhole, .convolution, .store])
    }
}
