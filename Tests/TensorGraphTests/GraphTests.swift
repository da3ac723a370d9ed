import Testing

@testable import TensorGraph

/// Passes over whole graphs: decomposing and verifying.
struct GraphTests {
    /// Twice GEGLU, which itself holds GELU.
    struct Nested: CompositeOperation {
        var name: String { "nested" }
        func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType { try GEGLU().infer(inputs) }
        func decompose(_ inputs: [Tensor]) -> Tensor { geglu(inputs[0]) + geglu(inputs[0]) }
    }

    struct Liar: CompositeOperation {
        var name: String { "liar" }
        func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType { TensorType([99]) }
        func decompose(_ inputs: [Tensor]) -> Tensor { inputs[0] + inputs[0] }
    }

    private func nested() throws -> Graph {
        try Graph.build("test") { builder in
            let x = builder.input("x", [2, 4])
            let y = builder.append(Nested(), [x])
            return ["y": y + y]
        }
    }

    @Test func decomposesWhatIsInsideToo() throws {
        let graph = try nested().decomposed()
        try graph.verify()
        for node in graph.nodes {
            if case .composite = node.operation { Issue.record("\(node.operation.name) is left") }
        }
        #expect(graph.nodes[graph.outputs[0].node].type == TensorType([2, 2]))
        #expect(graph.inputs.map(\.name) == ["x"])
    }

    @Test func keepsWhatIsToBeKept() throws {
        let graph = try nested().decomposed { !($0 is GELU) }
        try graph.verify()
        let kept = graph.nodes.filter { $0.operation.name == "GELU" }
        #expect(kept.count == 2)
        #expect(!graph.nodes.contains { $0.operation.name == "GEGLU" || $0.operation.name == "nested" })
    }

    @Test func aDecompositionOfAnotherTypeIsAnError() throws {
        let graph = try Graph.build("test") { ["y": $0.append(Liar(), [$0.input("x", [2])])] }
        #expect(throws: GraphError.self) { try graph.decomposed() }
    }

    @Test func whatIsBuiltVerifies() throws { try nested().verify() }

    /// Each corruption of a sound graph, and a word of what is said.
    static let corruptions: [(String, @Sendable (Graph) -> Graph)] = [
        (
            "come before",
            { $0.replacing(1) { Graph.Node(operation: $0.operation, inputs: [1], type: $0.type, layer: "") } }
        ),
        (
            "come before",
            {
                $0.replacing(1) {
                    Graph.Node(operation: $0.operation, inputs: [-1], type: $0.type, layer: "")
                }
            }
        ),
        (
            "gives",
            {
                $0.replacing(1) {
                    Graph.Node(operation: $0.operation, inputs: $0.inputs, type: TensorType([5]), layer: "")
                }
            }
        ),
        (
            "takes 1 inputs",
            {
                $0.replacing(1) {
                    Graph.Node(operation: $0.operation, inputs: [0, 0], type: $0.type, layer: "")
                }
            }
        ),
        (
            "second input",
            {
                $0.replacing(1) {
                    Graph.Node(operation: .primitive(.input("x")), inputs: [], type: $0.type, layer: "")
                }
            }
        ),
        ("output", { Graph(name: $0.name, nodes: $0.nodes, outputs: [("y", 9)]) }),
        ("no outputs", { Graph(name: $0.name, nodes: $0.nodes, outputs: []) }),
    ]

    @Test(arguments: 0..<7) func eachCorruptionIsFound(index: Int) throws {
        let (word, corrupt) = Self.corruptions[index]
        let sound = try Graph.build("test") { ["y": sine($0.input("x", [2]))] }
        try sound.verify()
        let error = #expect(throws: GraphError.self) { try corrupt(sound).verify() }
        #expect(error?.description.contains(word) == true, "\(error?.description ?? "")")
    }
}

extension Graph {
    fileprivate func replacing(_ index: Int, _ change: (Node) -> Node) -> Graph {
        var nodes = nodes
        nodes[index] = change(nodes[index])
        return Graph(name: name, nodes: nodes, outputs: outputs)
    }
}
