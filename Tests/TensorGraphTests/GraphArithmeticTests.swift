import TensorGraph
import Testing

/// How many operations a run of a graph takes.
struct GraphArithmeticTests {
    private func count(_ describe: (GraphBuilder) -> KeyValuePairs<String, Tensor>) throws -> Int {
        try Graph.build("test", describe).arithmeticCount
    }

    @Test func productsCountTheirInnerAxis() throws {
        #expect(try count { ["y": matrixMultiply($0.input("a", [3, 2, 5]), $0.input("b", [5, 7]))] } == 420)
        let transposed = try count { builder in
            let (a, b) = (builder.input("a", [5, 2]), builder.input("b", [7, 5]))
            return ["y": matrixMultiply(a, b, transposesLeft: true, transposesRight: true)]
        }
        #expect(transposed == 140)
    }

    @Test func convolutionsCountTheirKernel() throws {
        let grouped = try count { builder in
            let (x, kernel) = (builder.input("x", [1, 4, 8, 8]), builder.input("kernel", [6, 2, 3, 3]))
            return ["y": convolution(x, kernel: kernel, Convolution(stride: 2, padding: .init(1), groups: 2))]
        }
        #expect(grouped == 2 * 6 * 4 * 4 * 2 * 9)
    }

    @Test func attentionCountsAsItsDecomposition() throws {
        let graph = try Graph.build("test") { builder in
            let attention = scaledDotProductAttention(
                queries: builder.input("q", [2, 3, 5, 4]), keys: builder.input("k", [2, 3, 7, 4]),
                values: builder.input("v", [2, 3, 7, 6]))
            return ["y": silu(attention) + 1]
        }
        #expect(graph.arithmeticCount == 2 * 2 * 3 * 5 * 7 * (4 + 6))
        #expect(try graph.decomposed().arithmeticCount == graph.arithmeticCount)
    }
}
