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
        let graph = try Graph.build("test", weights: Kernel(shape: shape)) { builder in
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

/// A checkpoint of one kernel.
private struct Kernel: WeightCatalog {
    let shape: Shape
    var names: [String] { ["kernel"] }
    var origin: String { "test" }
    func entry(named name: String) -> WeightEntry? {
        name == "kernel" ? WeightEntry(shape: shape, elementType: .float16) : nil
    }
}
