import Testing

@testable import TensorGraph

/// Graphs in parts, and attention in slices.
struct GraphDivisionTests {
    /// A chain of squares with a shortcut around the second one.
    private func chain() throws -> Graph {
        try Graph.build("chain") { builder in
            let x = builder.input("x", [4])
            let first = x * x
            let second = first * first
            return ["y": second + first, "first": first]
        }
    }

    @Test func partsHandOnWhatIsReadLater() throws {
        let graph = try chain()
        let parts = graph.divided(at: [2])
        #expect(parts.count == 2)
        for part in parts { try part.verify() }
        #expect(parts[0].inputs.map(\.name) == ["x"])
        #expect(parts[0].outputs.map(\.name) == ["%1", "first"])
        #expect(parts[1].inputs.map(\.name) == ["%1"])
        #expect(parts[1].outputs.map(\.name) == ["y"])
    }

    @Test func everyPlaceIsAPlaceToCut() throws {
        let graph = try chain()
        for cut in 0...graph.nodes.count {
            for part in graph.divided(at: [cut]) where !part.outputs.isEmpty { try part.verify() }
        }
    }

    @Test func narrowPlacesAreThoseWithoutAShortcut() throws {
        let graph = try chain()
        let last = graph.nodes.count - 1
        #expect(graph.narrowPlaces.contains { $0 == (1, 0) })
        #expect(graph.narrowPlaces.contains { $0 == (2, 1) })
        #expect(!graph.narrowPlaces.contains { $0.place == last })
    }

    @Test(arguments: [1, 63, 64, 100, 1000, 1_000_000])
    func slicesCoverTheQueries(_ limit: Int) throws {
        let graph = try Graph.build("attention") { builder in
            let x = builder.input("x", [1, 2, 7, 4])
            let mask = builder.input("mask", [7, 5])
            let context = builder.input("context", [1, 2, 5, 4])
            return [
                "y": scaledDotProductAttention(queries: x, keys: context, values: context, mask: mask)
            ]
        }
        let sliced = try graph.slicingAttention(scoresAtOnce: limit)
        try sliced.verify()
        let slices = sliced.nodes.filter { $0.operation.name == "attention" }
        #expect(slices.reduce(0) { $0 + $1.type.shape[2] } == 7)
        for slice in slices {
            #expect(slice.type.shape[2] == 1 || slice.type.shape[2] * 2 * 5 <= limit)
        }
        #expect((slices.count == 1) == (limit >= 70))
    }
}
