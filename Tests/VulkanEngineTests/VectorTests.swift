import EngineConformance
import EngineInterface
import TensorGraph
import Testing

@testable import VulkanEngine

/// Kernels that move sixteen bytes at a time, held to the reference engine.
@Suite(.serialized) struct VectorTests {
    let engine: VulkanEngine
    let objections: VulkanInstance.Objections

    init() throws {
        engine = try VulkanEngineTests.engine.get()
        objections = try #require(VulkanEngineTests.instance.get().objections)
    }

    private func expectConformance(
        _ precision: Precision, _ cases: [ConformanceCase], at location: SourceLocation = #_sourceLocation
    ) async {
        let failures = await conformanceFailures(of: engine, precision: precision, cases: cases)
        #expect(
            failures.isEmpty, "\(failures.map(\.description).joined(separator: "\n"))",
            sourceLocation: location)
        #expect(objections.all == [], sourceLocation: location)
    }

    /// The kernels of some cases.
    private func kernels(_ cases: [ConformanceCase], isHalf: Bool) throws -> Set<Kernel> {
        try cases.reduce(into: []) {
            $0.formUnion(
                try Lowering($1.graph, isHalf: isHalf, tuning: engine.tuning).calls.map(\.kernel))
        }
    }

    @Test(arguments: [Precision.float32, .float16])
    func vectorsConform(precision: Precision) async throws {
        let cases = try vectorCases()
        // Each kernel is there in both forms.
        let kernels = try kernels(cases, isHalf: precision == .float16)
        for (shader, place) in [
            (.unary, 1), (.binary, 2), (.copy, 1), (.gather, 0), (.geglu, 0),
        ] as [(Kernel.Shader, Int)] {
            let forms = Set(kernels.filter { $0.shader == shader }.map { $0.constants[place] })
            #expect(forms == [0, 1], "\(shader)")
        }
        #expect(kernels.contains { $0.shader == .concatenate })
        await expectConformance(precision, cases)
    }

    @Test(arguments: [Precision.float32, .float16])
    func rowsConform(precision: Precision) async throws {
        let cases = try rowCases()
        let shaders = Set(try kernels(cases, isHalf: precision == .float16).map(\.shader))
        #expect(shaders.isSuperset(of: [.layerNorm, .layerNormRows, .softmax, .softmaxRows]))
        await expectConformance(precision, cases)
    }

    @Test(arguments: [Precision.float32, .float16])
    func groupsConform(precision: Precision) async throws {
        let cases = try groupCases()
        let shaders = Set(try kernels(cases, isHalf: precision == .float16).map(\.shader))
        #expect(
            shaders.isSuperset(of: [.groupNorm, .groupNormWhole, .groupNormStatistics, .groupNormApply]))
        await expectConformance(precision, cases)
    }

    /// Numbers that differ in their last digits, held to what they give in double precision: a mean of 32 bits is too coarse.
    @Test func normalFormsOfNumbersFarFromZeroAreExact() async throws {
        func expectExactness(
            _ shape: Shape, groups: Int?, _ normalize: (Tensor, Tensor, Tensor) -> Tensor
        ) async throws {
            let size = groups == nil ? shape[-1] : shape[1]
            let one = try ConformanceCase("far from zero \(shape)") {
                let x = $0.input("x", shape) + 1000
                return ["x": x, "y": normalize(x, $0.input("scale", [size]), $0.input("shift", [size]))]
            }
            let found = try await engine.compile(one.graph, weights: one.weights, precision: .float32)
                .run(one.inputs)
            let x = try #require(found["x"]).floats
            let y = try #require(found["y"]).floats
            let scale = try #require(one.inputs["scale"]).floats
            let shift = try #require(one.inputs["shift"]).floats
            // Elements of a group run on; so many have one scale.
            let count = groups.map { shape.count / shape[0] / $0 } ?? size
            let run = groups == nil ? 1 : shape[2] * shape[3]
            for start in stride(from: 0, to: x.count, by: count) {
                let numbers = x[start..<start + count].map(Double.init)
                let mean = numbers.reduce(0, +) / Double(count)
                let variance = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)
                let difference = numbers.indices.reduce(0.0) { greatest, index in
                    let channel = (start + index) / run % size
                    let normal = (numbers[index] - mean) / (variance + 1e-5).squareRoot()
                    let exact = normal * Double(scale[channel]) + Double(shift[channel])
                    return max(greatest, abs(Double(y[start + index]) - exact))
                }
                #expect(difference < 1e-5, "\(shape) at \(start)")
            }
        }
        for (shape, groups): (Shape, Int) in [
            ([2, 40, 25, 25], 4), ([1, 24, 33, 34], 3), ([1, 120, 15, 14], 4), ([1, 320, 3, 2], 32),
            ([8, 16, 5, 7], 2), ([2, 64, 1, 1], 8),
        ] {
            try await expectExactness(shape, groups: groups) {
                groupNorm($0, groups: groups, epsilon: 1e-5, scale: $1, shift: $2)
            }
        }
        for size in [40, 320, 2048] {
            try await expectExactness([2, 3, size], groups: nil) {
                layerNorm($0, scale: $1, shift: $2, epsilon: 1e-5)
            }
        }
        #expect(objections.all == [])
    }

    /// Pictures of the networks' sizes: as many workgroups as there are processors to fill, and as few bytes beside the
    /// pictures.
    @Test(arguments: [
        ([2, 320, 64, 64], 32), ([2, 960, 64, 64], 32), ([2, 640, 32, 32], 32), ([2, 1280, 16, 16], 32),
        ([2, 2560, 8, 8], 32), ([1, 128, 512, 512], 32), ([1, 512, 64, 64], 32),
    ])
    func groupsAreSpreadOverWorkgroups(shape: [Int], groups: Int) throws {
        let one = Shape(shape)
        let graph = try Graph.build("norm", weights: InMemoryWeights()) {
            let scale = $0.input("scale", [one[1]])
            let x = $0.input("x", one)
            return ["y": groupNorm(x, groups: groups, epsilon: 1e-5, scale: scale, shift: scale)]
        }
        let lowering = try Lowering(graph, isHalf: true, tuning: engine.tuning)
        let calls = lowering.calls.filter { ![.load, .store].contains($0.kernel.shader) }
        let pixels = one[2] * one[3]
        if pixels <= 256 {
            #expect(calls.map(\.kernel.shader) == [.groupNormWhole])
        } else {
            #expect(calls.map(\.kernel.shader) == [.groupNormStatistics, .groupNormApply])
            let moments = calls[0].operands[1].view.count
            for call in calls {
                let count = call.workgroups.x * call.workgroups.y * call.workgroups.z
                #expect(count >= 132)
                // All that one reads of the moments is little beside its part of the picture.
                #expect(moments * 4 / (call.workgroups.y * one[0]) < one.count * 2 / count)
            }
        }
    }
}
