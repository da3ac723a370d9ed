import Testing

@testable import TensorGraph

/// A checkpoint's names and shapes without values.
struct Catalogue: WeightCatalog {
    let entries: [String: WeightEntry]
    let origin = "test.safetensors"

    init(_ shapes: [String: Shape], types: [String: ElementType] = [:]) {
        entries = Dictionary(
            uniqueKeysWithValues: shapes.map { name, shape in
                (name, WeightEntry(shape: shape, elementType: types[name] ?? .float16))
            })
    }

    var names: [String] { Array(entries.keys) }
    func entry(named name: String) -> WeightEntry? { entries[name] }
}

struct BuilderTests {
    private func problems(
        _ catalog: Catalogue = Catalogue([:]), _ describe: (GraphBuilder) -> KeyValuePairs<String, Tensor>
    ) throws -> [GraphError.Problem] {
        do {
            _ = try Graph.build("test", weights: catalog, describe)
            return []
        } catch let error as GraphError {
            return error.problems
        }
    }

    @Test func declaresWeightsByPath() throws {
        let graph = try Graph.build(
            "test", weights: Catalogue(["down.0.conv.weight": [2], "down.0.conv.bias": [2]])
        ) { builder in
            let scope = builder.weights["down", 0]["conv"]
            #expect(scope.path == "down.0.conv")
            #expect(scope.has("bias"))
            #expect(!scope.has("scale"))
            return ["y": scope.tensor("weight", [2]) + scope.tensor("bias", [2])]
        }
        #expect(graph.weights.map(\.name) == ["down.0.conv.weight", "down.0.conv.bias"])
        #expect(graph.nodes.last?.layer == "down.0.conv")
        #expect(graph.nodes[0].type == TensorType([2], .float32))
    }

    @Test func isLetGoWithItsGraph() throws {
        weak var builder: GraphBuilder?
        _ = try Graph.build("test", weights: Catalogue(["a": [2], "b": [2]])) { own in
            builder = own
            let (a, b) = (own.weights.tensor("a", [2]), own.weights.tensor("b", [2]))
            return ["y": own.input("x", [2]) * a + b]
        }
        #expect(builder == nil)
    }

    @Test func reportsEveryFaultOfACheckpointAtOnce() throws {
        let catalog = Catalogue(
            ["a.weight": [3], "b.weight": [2], "extra": [7, 7], "c.ids": [2]], types: ["c.ids": .int64])
        let found = try problems(catalog) { builder in
            let weights = builder.weights
            let sum =
                weights["a"].tensor("weight", [2]) + weights["b"].tensor("weight", [2])
                + weights["missing"].tensor("weight", [2]) + weights["c"].tensor("ids", [2])
            return ["y": sum]
        }
        #expect(
            found == [
                .wrongShape(weight: "a.weight", expected: [2], actual: [3]),
                .missing(weight: "missing.weight", expected: [2]),
                .wrongType(weight: "c.ids", actual: .int64),
                .unused(weight: "extra", actual: [7, 7]),
            ])
    }

    @Test func aDescriptionShowsTheFirstFive() throws {
        let catalog = Catalogue(Dictionary(uniqueKeysWithValues: (0..<9).map { ("extra\($0)", [1]) }))
        let error = #expect(throws: GraphError.self) {
            try Graph.build("unet", weights: catalog) { ["y": $0.input("x", [1])] }
        }
        let text = error?.description ?? ""
        #expect(text.contains("test.safetensors"))
        #expect(text.contains("extra4: not part of the network, has shape [1]"))
        #expect(!text.contains("extra5"))
        #expect(text.contains("and 4 more"))
    }

    @Test func ignoredWeightsMayBeThere() throws {
        func isIgnored(_ name: String) -> Bool { name == "ids" }
        let graph = try Graph.build("test", weights: Catalogue(["ids": [1]]), ignoring: isIgnored) {
            ["y": $0.input("x", [1])]
        }
        #expect(graph.weights.isEmpty)
    }

    @Test func aWeightThatIsUsedTwiceIsOneNode() throws {
        let graph = try Graph.build("test", weights: Catalogue(["w": [2]])) { builder in
            ["y": builder.weights.tensor("w", [2]) * builder.weights.tensor("w", [2])]
        }
        #expect(graph.nodes.count == 2)
        let found = try problems(Catalogue(["w": [2]])) { builder in
            ["y": builder.weights.tensor("w", [2]) * builder.weights.tensor("w", [1])]
        }
        #expect(found == [.wrongShape(weight: "w", expected: [1], actual: [2])])
    }

    @Test func aMismatchNamesTheLayer() throws {
        let found = try problems(Catalogue(["conv_in.weight": [3]])) { builder in
            ["y": builder.weights["conv_in"].tensor("weight", [3]) + builder.input("x", [4])]
        }
        #expect(
            found == [
                .mismatch(
                    layer: "conv_in", "add of float32[3], float32[4]: the shapes do not broadcast")
            ])
    }

    @Test func inputsHaveNamesOfTheirOwn() throws {
        let found = try problems { ["y": $0.input("x", [1]) + $0.input("x", [1])] }
        #expect(found == [.mismatch(layer: "", "two inputs are named \"x\"")])
    }

    @Test func theListingShowsEachNode() throws {
        let graph = try Graph.build("test", weights: Catalogue(["a.weight": [4, 2]])) { builder in
            let x = builder.input("x", [3, 2])
            return [
                "y": silu(
                    matrixMultiply(x, builder.weights["a"].tensor("weight", [4, 2]), transposesRight: true))
            ]
        }
        #expect(
            graph.description == """
                test: 4 nodes, 1 weights
                %0: float32[3, 2] = input "x"()
                %1: float32[4, 2] = weight "a.weight" float16()  # a
                %2: float32[3, 4] = matrix multiply(%0, %1)  # a
                %3: float32[3, 4] = SiLU(%2)  # a
                return y: %3
                """)
    }
}
