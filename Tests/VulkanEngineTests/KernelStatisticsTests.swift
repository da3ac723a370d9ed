import EngineConformance
import EngineInterface
import TensorGraph
import Testing

@testable import VulkanEngine

/// What drivers' compilers say of kernels. Mesa's software driver says nothing; its driver of AMD's GPUs does, also where
/// there is no such GPU and the environment has RADV_FORCE_FAMILY=navi21: kernels are made then, but cannot run.
@Suite(.serialized) struct KernelStatisticsTests {
    let objections: VulkanInstance.Objections

    init() throws { objections = try #require(VulkanEngineTests.instance.get().objections) }

    /// The number of the first device whose driver says something.
    private static let saying = (try? VulkanEngineTests.instance.get())?.devices().firstIndex {
        $0.missing == nil && $0.offersStatistics
    }

    private func makeKernels(_ engine: VulkanEngine) throws -> Set<Kernel> {
        let one = try #require(try compositeCases().first { $0.name == "residual block" })
        let kernels = Set(try Lowering(one.graph, isHalf: false, tuning: engine.tuning).calls.map(\.kernel))
        try engine.device.prepare(kernels, graph: one.name)
        return kernels
    }

    @Test(.enabled(if: saying != nil)) func eachKernelHasStatistics() throws {
        let engine = try VulkanEngine(
            Self.saying.map(String.init), of: VulkanEngineTests.instance.get(), capturingStatistics: true)
        #expect(engine.kernelStatistics().isEmpty)
        let kernels = try makeKernels(engine)
        let found = engine.kernelStatistics()
        #expect(found.count == kernels.count)
        for kernel in kernels {
            let one = try #require(
                found.first { $0.shader == kernel.file && $0.constants == kernel.constants })
            #expect(!one.statistics.isEmpty, "\(kernel.file)")
            #expect(one.statistics.allSatisfy { !$0.name.isEmpty && !$0.value.isEmpty }, "\(kernel.file)")
            #expect(one.statistics.contains { Double($0.value) ?? 0 > 0 }, "\(kernel.file)")
        }
        #expect(objections.all == [])
    }

    @Test func kernelsAreMadeWhereTheDriverSaysNothing() throws {
        let instance = try VulkanEngineTests.instance.get()
        let engine = try VulkanEngine("llvmpipe", of: instance, capturingStatistics: true)
        let offers = engine.device.physical.offersStatistics
        #expect(engine.device.capturesStatistics == offers)
        _ = try makeKernels(engine)
        #expect(engine.kernelStatistics().isEmpty == !offers)
        #expect(objections.all == [])
    }

    @Test func nothingIsCapturedUnlessAsked() throws {
        let choice = Self.saying.map(String.init) ?? "llvmpipe"
        let engine = try VulkanEngine(choice, of: VulkanEngineTests.instance.get())
        #expect(!engine.device.capturesStatistics)
        _ = try makeKernels(engine)
        #expect(engine.kernelStatistics().isEmpty)
        #expect(objections.all == [])
    }
}
