import Testing

@testable import TensorGraph

struct ObservedGraphTests {
    private struct Weights: WeightCatalog {
        var shapes: [String: Shape]
        var integers: Set<String> = []
        var names: [String] { Array(shapes.keys) }
        var origin: String { "test" }
        func entry(named name: String) -> WeightEntry? {
            shapes[name].map {
                WeightEntry(shape: $0, elementType: integers.contains(name) ? .int8 : .float32)
            }
        }
    }

    @Test func whatLayersAreGivenIsLookedAtOnce() throws {
        let weights = Weights(shapes: ["q": [4, 4], "k": [4, 4], "o": [4, 4], "c": [2, 1, 3, 3]])
        let graph = try Graph.build("test", weights: weights) { builder in
            let x = builder.input("x", [3, 4])
            func product(_ x: Tensor, _ name: String) -> Tensor {
                matrixMultiply(x, builder.weights.tensor(name, [4, 4]), transposesRight: true)
            }
            let picture = builder.input("picture", [1, 1, 5, 5])
            return [
                "y": product(product(x, "q") + product(x, "k"), "o"),
                "z": convolution(
                    picture, kernel: builder.weights.tensor("c", [2, 1, 3, 3]), Convolution(padding: .init(1))
                ),
            ]
        }
        let (observed, names) = try graph.observing(["q", "k", "c", "unknown"])
        try observed.verify()
        #expect(names == ["q", "k", "c"])
        #expect(observed.outputs.map(\.name) == ["y", "z", "lowest", "highest"])
        #expect(observed.nodes[observed.outputs[2].node].type == TensorType([3]))
        // Of x and of the picture, the greatest and the least: what both products read is reduced once.
        let reductions = observed.nodes.count {
            if case .primitive(.reduce) = $0.operation { true } else { false }
        }
        #expect(reductions == 4)
        let (same, none) = try graph.observing([])
        #expect(none.isEmpty && same.nodes.count == graph.nodes.count && same.outputs.count == 2)
    }

    @Test func integersAreTakenTimesTheirScale() throws {
        let weights = Weights(
            shapes: ["layer.weight": [4, 3], "layer.weight_scale": [4, 1]], integers: ["layer.weight"])
        let graph = try Graph.build("test", weights: weights) { builder in
            ["y": builder.weights["layer"].tensor("weight", [4, 3])]
        }
        #expect(graph.nodes.map(\.operation.name) == ["weight", "weight", "multiply"])
        // Integers without a scale are no weights.
        let bare = Weights(shapes: ["weight": [4, 3]], integers: ["weight"])
        #expect(throws: GraphError.self) {
            try Graph.build("test", weights: bare) { ["y": $0.weights.tensor("weight", [4, 3])] }
        }
    }
}
