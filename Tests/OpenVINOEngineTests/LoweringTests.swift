import TensorGraph
import Testing

@testable import OpenVINOEngine

/// The model's text, without the library.
struct LoweringTests {
    private func representation(
        _ describe: (GraphBuilder) -> KeyValuePairs<String, Tensor>
    ) throws -> IntermediateRepresentation {
        try Lowering(Graph.build("test", describe)).representation
    }

    @Test func layersKeepTheirOrderAndEdges() throws {
        let representation = try representation { ["y": silu($0.input("x", [1, 2]))] }
        #expect(representation.layers.map(\.type) == ["Parameter", "Swish", "Result"])
        let xml = representation.xml { _ in 0 }
        #expect(xml.contains(#"<edge from-layer="0" from-port="0" to-layer="1" to-port="0"/>"#))
        #expect(xml.contains(#"<edge from-layer="1" from-port="1" to-layer="2" to-port="0"/>"#))
        #expect(xml.contains(#"<data shape="1,2" element_type="f32"/>"#))
    }

    @Test func compositesThatTheLibraryHasStayWhole() throws {
        let representation = try representation { builder in
            let x = builder.input("x", [1, 2, 3, 4])
            return [
                "y": scaledDotProductAttention(queries: x, keys: x, values: x), "z": gelu(x),
            ]
        }
        let types = representation.layers.map(\.type)
        #expect(types.contains("ScaledDotProductAttention"))
        #expect(types.contains("Gelu"))
        #expect(!types.contains("SoftMax"))
    }

    @Test func manyKeysAreAttendedToWithoutScoresInMemory() throws {
        func layers(keys: Int, size: Int, isMasked: Bool = false) throws -> [String] {
            let graph = try Graph.build("test") { builder in
                let queries = transpose(builder.input("q", [1, 8, 2, size]), [0, 2, 1, 3])
                let others = builder.input("k", [1, 2, keys, size])
                return [
                    "y": scaledDotProductAttention(
                        queries: queries, keys: others, values: others,
                        mask: isMasked ? builder.input("mask", [8, keys]) : nil)
                ]
            }
            return try Lowering(graph, flashAttention: FlashAttention(threads: 2)).representation.layers.map(
                \.type)
        }
        let own = try layers(keys: 4096, size: 40)
        #expect(own.contains("Attention") && !own.contains("ScaledDotProductAttention"))
        // The queries are taken as they were before their axes were exchanged: of the four transpositions, one is the
        // graph's, one the results', and two the keys' and the values'.
        #expect(own.count { $0 == "Transpose" } == 4)
        for other in try [
            layers(keys: 77, size: 40), layers(keys: 4096, size: 41), layers(keys: 4096, size: 512),
            layers(keys: 4096, size: 40, isMasked: true),
        ] {
            #expect(other.contains("ScaledDotProductAttention"))
        }
    }

    @Test func gatedLayersAreComputedInHalves() throws {
        let shapes: [String: Shape] = ["weight": [16, 4], "bias": [16]]
        func representation(readTwice: Bool) throws -> IntermediateRepresentation {
            try Lowering(
                Graph.build("test", weights: Weights(shapes: shapes)) { builder in
                    let x = builder.input("x", [2, 3, 4])
                    let product =
                        matrixMultiply(x, builder.weights.tensor("weight", [16, 4]), transposesRight: true)
                        + builder.weights.tensor("bias", [16])
                    return readTwice ? ["y": geglu(product), "z": product] : ["y": geglu(product)]
                }
            ).representation
        }
        let halves = try representation(readTwice: false)
        #expect(halves.layers.count { $0.type == "MatMul" } == 2)
        #expect(!halves.layers.contains { $0.type == "Split" })
        let offsets = halves.layers.compactMap { layer -> String? in
            guard case .weight(let name, let offset) = layer.place, layer.outputs[0].shape[0] == 8 else {
                return nil
            }
            return "\(name) \(offset)"
        }
        #expect(offsets == ["weight 0", "bias 0", "weight 64", "bias 16"])
        let whole = try representation(readTwice: true)
        #expect(whole.layers.count { $0.type == "MatMul" } == 1)
        #expect(whole.layers.contains { $0.type == "Split" })
    }

    @Test func constantsAreAlignedAndEqualListsShared() throws {
        let representation = try representation { builder in
            let x = builder.input("x", [2, 3])
            let first = builder.constant(HostTensor([1, 2, 3] as [Float], shape: [3]))
            let second = builder.constant(HostTensor([4, 5, 6] as [Float], shape: [3]))
            return ["y": reshape(x + first, [6]), "z": reshape(x + second, [6])]
        }
        let offsets = representation.layers.compactMap { layer -> Int? in
            guard case .constant(let offset) = layer.place else { return nil }
            return offset
        }
        #expect(offsets == [0, 64, 128])
        #expect(representation.constants.count == 136)
    }

    @Test func namesAreEscaped() throws {
        let xml = try representation { ["y": $0.input("a<b & \"c\"", [1]) * 2] }.xml { _ in 0 }
        #expect(xml.contains(#"names="a&lt;b &amp; &quot;c&quot;""#))
    }

    private func convolutionLayers(_ input: Shape, to channels: Int, isEnlarged: Bool = false) throws
        -> [String]
    {
        let shape: Shape = [channels, input[1], 3, 3]
        let graph = try Graph.build("test", weights: Weights(shapes: ["kernel": shape])) { builder in
            let x = builder.input("x", input)
            return [
                "y": convolution(
                    isEnlarged ? upsampleNearest(x, factor: 2) : x,
                    kernel: builder.weights.tensor("kernel", shape), Convolution(padding: .init(1)))
            ]
        }
        let forms = ConvolutionForms(winograd: .whereFaster, upsampled: .whereFaster)
        return try Lowering(graph, forms: forms).representation.layers.map(\.type)
    }

    @Test func largeConvolutionsHalveTheirMultiplications() throws {
        let layers = try convolutionLayers([2, 320, 64, 64], to: 320)
        #expect(layers.count { $0 == "Convolution" } == 6)
        #expect(layers.count { $0 == "MatMul" } == 2)
        // Few channels, few cells or long rows: the transforms would take longer than they save.
        for (input, channels): (Shape, Int) in [
            ([2, 4, 64, 64], 320), ([2, 1280, 16, 16], 1280), ([1, 128, 512, 512], 128),
        ] {
            #expect(try convolutionLayers(input, to: channels).count { $0 == "Convolution" } == 1)
        }
    }

    @Test func enlargedPicturesAreConvolvedBeforeTheyAreEnlarged() throws {
        let layers = try convolutionLayers([2, 640, 32, 32], to: 640, isEnlarged: true)
        #expect(!layers.contains("Interpolate"))
        #expect(layers.count { $0 == "Convolution" } == 4)
        #expect(try convolutionLayers([2, 8, 8, 8], to: 8, isEnlarged: true).contains("Interpolate"))
    }
}

/// A checkpoint of float16 numbers.
private struct Weights: WeightCatalog {
    let shapes: [String: Shape]
    var names: [String] { Array(shapes.keys) }
    var origin: String { "test" }
    func entry(named name: String) -> WeightEntry? {
        shapes[name].map { WeightEntry(shape: $0, elementType: .float16) }
    }
}
