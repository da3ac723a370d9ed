import TensorGraph
import Testing

/// How much memory a run of a graph takes.
struct GraphMemoryTests {
    private func peak(_ describe: (GraphBuilder) -> KeyValuePairs<String, Tensor>) throws -> Int {
        try Graph.build("test", describe).peakValueCount
    }

    @Test func whatWorksInPlaceNeedsNoMore() throws {
        #expect(try peak { ["y": silu($0.input("x", [10]) * 2)] } == 10)
    }

    @Test func whatDoesNotNeedsBoth() throws {
        #expect(try peak { ["y": transpose($0.input("x", [2, 5]), [1, 0])] } == 20)
        #expect(try peak { ["y": upsampleNearest($0.input("x", [1, 1, 2, 2]), factor: 2)] } == 20)
    }

    @Test func whatIsReadLaterIsKept() throws {
        let count = try peak { builder in
            let x = builder.input("x", [10])
            var y = x
            for _ in 0..<5 { y = silu(y * 2) }
            return ["y": x + y]
        }
        #expect(count == 20)
    }

    @Test func whatIsReadNoMoreIsNot() throws {
        let count = try peak { builder in
            var y = builder.input("x", [2, 5])
            for _ in 0..<6 { y = transpose(y, [1, 0]) }
            return ["y": y]
        }
        #expect(count == 20)
    }
}
