import EngineConformance
import EngineInterface
import TensorGraph
import Testing

@testable import VulkanEngine

/// Products and attention by matrices that subgroups hold together, on drivers that have them: Mesa's software driver has
/// in its newer versions.
@Suite(.serialized, .enabled(if: (try? VulkanEngineTests.engine.get())?.tuning.matrices != nil))
struct CooperativeMatrixTests {
    let engine: VulkanEngine
    let objections: VulkanInstance.Objections

    init() throws {
        engine = try VulkanEngineTests.engine.get()
        objections = try #require(VulkanEngineTests.instance.get().objections)
    }

    /// Compilers take minutes for tiles of many of the small matrices that software has, and more for such of odd numbers of
    /// them.
    @Test(
        arguments: [ProductTile(32, 64, each: 16, 32), ProductTile(64, 32, each: 16, 16, stages: 2)], [1, 4])
    func productsConform(tile: ProductTile, parts: Int) async throws {
        var engine = engine
        engine.tuning.productChoice = ProductChoice(tile: tile, parts: parts)
        let failures = await conformanceFailures(
            of: engine, precision: .float16, cases: try cooperativeProductCases())
        #expect(failures.isEmpty, "\(failures.map(\.description).joined(separator: "\n"))")
        #expect(objections.all == [])
    }

    @Test func aTileIsChecked() throws {
        let check = try #require(
            MatrixCheck(ProductTile(32, 64, each: 16, 32, stages: 2, depth: 16), engine.tuning))
        #expect(check.passes(on: engine.device))
        // One that would need more of the shared memory than there is.
        #expect(MatrixCheck(ProductTile(1024, 1024, each: 64, 64), engine.tuning) == nil)
        #expect(objections.all == [])
    }

    @Test func attentionConforms() async throws {
        let failures = await conformanceFailures(
            of: engine, precision: .float16, cases: try cooperativeAttentionCases())
        #expect(failures.isEmpty, "\(failures.map(\.description).joined(separator: "\n"))")
        #expect(objections.all == [])
    }

    @Test func matricesAreUsed() throws {
        for one in try cooperativeProductCases() {
            let lowering = try Lowering(one.graph, isHalf: true, tuning: engine.tuning)
            let shaders = Set(lowering.calls.map(\.kernel.shader))
            #expect(
                !shaders.isDisjoint(with: [.cooperativeMatrixMultiply, .cooperativeConvolution]),
                "\(one.name)")
            #expect(shaders.isDisjoint(with: [.matrixMultiply, .convolution]), "\(one.name)")
        }
        for one in try cooperativeAttentionCases() {
            let lowering = try Lowering(one.graph, isHalf: true, tuning: engine.tuning)
            #expect(lowering.calls.contains { $0.kernel.shader == .cooperativeAttention }, "\(one.name)")
        }
    }
}
