import EngineInterface
import OpenVINOEngine
import Sampling
import Testing

@testable import Easel

@Suite("Requests that cannot be met are refused before any work")
struct RequestLimitTests {
    let model: Model

    init() throws { model = try TinyModel.sd1.opened() }

    private func refusal(_ change: (inout Request) -> Void) -> RequestError? {
        var request = Request.quick()
        change(&request)
        do {
            _ = try GenerationPlan(request, for: model)
        } catch {
            return error as? RequestError
        }
        return nil
    }

    @Test func everyMultipleOfTheFactorIsASize() throws {
        for side in stride(from: 64, through: 2048, by: 8) {
            var request = Request.quick()
            (request.width, request.height) = (side, 2112 - side)
            let plan = try GenerationPlan(request, for: model)
            #expect(plan.latentWidth * 8 == side)
            #expect(plan.latentHeight * 8 == 2112 - side)
        }
    }

    @Test(arguments: [
        (100, [96, 104]), (0, [64]), (-8, [64]), (4096, [2048]), (63, [64]), (65, [64, 72]),
        (2047, [2040, 2048]),
        (2049, [2048]), (Int.max, [2048]), (Int.min, [64]),
    ])
    func otherSizesNameTheNearest(_ side: Int, _ nearest: [Int]) throws {
        for axis in ["width", "height"] {
            let error = try #require(
                refusal { if axis == "width" { $0.width = side } else { $0.height = side } })
            #expect(error == .size(axis: axis, value: side, multiple: 8, nearest: nearest))
            #expect("\(error)".contains("\(axis) \(side)"))
            for side in nearest { #expect("\(error)".contains("\(side)")) }
        }
    }

    @Test func moreThanTheMemoryHoldsIsRefusedWithAnEstimate() async throws {
        let engine = try OpenVINOEngine(threads: 1)
        let small = try Model(
            at: TinyModel.sd1.folder, engine: engine, precision: .float32, memory: 50_000_000)
        _ = try await small.picture(.quick(steps: 1))
        var request = Request.quick(count: 8, batchSize: 8)
        (request.width, request.height) = (1024, 1024)
        let error = await #expect(throws: RequestError.self) { try await small.events(request) }
        guard case .memory(1024, 1024, 8, let needed, 50_000_000) = error else {
            Issue.record("\(error.map(String.init(describing:)) ?? "no error")")
            return
        }
        #expect(needed > 50_000_000)
        #expect(error?.description.contains("this machine has 0.0 GB: take a smaller batch size") == true)
    }

    @Test(arguments: [0, -1, 1_000_000_000, Int.max, Int.min, 1001])
    func steps(_ steps: Int) {
        #expect(
            refusal { $0.steps = steps }
                == .outOfRange(field: "steps", value: "\(steps)", range: "from 1 to 1000"))
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity, 1e38, 1001])
    func guidance(_ scale: Float) {
        #expect(
            refusal { $0.guidanceScale = scale }
                == .outOfRange(
                    field: "guidance scale", value: "\(scale)", range: "a number from -1000 to 1000"))
    }

    @Test func counts() {
        for count in [0, -1, 10_001, Int.max] {
            #expect(
                refusal { $0.count = count }
                    == .outOfRange(field: "count", value: "\(count)", range: "from 1 to 10000"))
        }
        for size in [0, -1, 65, Int.max] {
            #expect(
                refusal { $0.batchSize = size }
                    == .outOfRange(field: "batch size", value: "\(size)", range: "from 1 to 64"))
        }
    }

    @Test func unknownSamplersNameTheKnown() async throws {
        var request = Request.quick()
        request.sampler = "heun-of-old"
        let error = await #expect(throws: SamplingError.self) { try await model.events(request) }
        let text = "\(try #require(error))"
        for name in ["heun-of-old"] + SamplerCatalogue.all.map(\.name) { #expect(text.contains(name)) }
    }

    @Test func aRefusedRequestEndsTheEvents() async {
        await #expect(throws: RequestError.self) { try await model.events(.quick(steps: 0)) }
    }
}
