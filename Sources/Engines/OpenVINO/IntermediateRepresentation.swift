import TensorGraph

/// A model in OpenVINO's intermediate representation, version 11: layers, and edges between their ports.
///
/// The text that ``xml(placing:)`` gives is what `ov_core_read_model_from_memory_buffer` reads; constants are
/// ranges of one buffer of bytes.
struct IntermediateRepresentation {
    /// What one port of a layer gives.
    struct Value {
        let layer: Int
        let port: Int
        let type: TensorType
    }

    /// Whether every sum is made in one order, for whatever number of threads: at float32, where results are compared bit
    /// by bit.
    var keepsOrderOfSums = false

    /// Where a constant's bytes are.
    enum Place {
        /// The checkpoint's tensor of that name, from one of its bytes on.
        case weight(String, byteOffset: Int = 0)
        /// At an offset of ``constants``.
        case constant(offset: Int)
        /// At an offset of the bytes of ``derivedKernels``.
        case derived(offset: Int)
    }

    struct Layer {
        let type: String
        let operationSet: String
        let name: String
        let attributes: [(name: String, value: String)]
        let inputs: [Value]
        var outputs: [TensorType]
        let place: Place?
        /// Whether the layer restores numbers that are stored more narrowly, which lets the plug-in keep them so.
        let isDecompression: Bool
        /// The name by which callers know the value, for a parameter.
        let tensorName: String?
    }

    private(set) var layers: [Layer] = []
    /// The bytes of the constants that are not the checkpoint's.
    private(set) var constants: [UInt8] = []
    /// What is to be computed from the checkpoint before the graph is compiled.
    private(set) var derivedKernels: [DerivedKernel] = []
    /// The weights of the checkpoint that are to be widened to `float32`, with where they go among the derived bytes.
    private(set) var widenedWeights: [(name: String, shape: Shape, offset: Int)] = []
    private(set) var derivedByteCount = 0
    private var knownIntegers: [[Int]: Value] = [:]
    /// The network's layer whose nodes are being added, for the names in the plug-in's profile.
    var scope = ""

    /// Adds a layer with one output and returns that.
    mutating func add(
        _ type: String, _ operationSet: String, _ inputs: [Value],
        _ attributes: KeyValuePairs<String, String> = [:], gives output: TensorType,
        decompresses: Bool = false
    ) -> Value {
        add(type, operationSet, inputs, attributes, gives: [output], decompresses: decompresses)[0]
    }

    /// Adds a value's numbers in another shape, in their order.
    mutating func addReshape(_ value: Value, to shape: Shape) -> Value {
        add(
            "Reshape", "opset1", [value, addIntegers(shape.dimensions)], ["special_zero": "false"],
            gives: TensorType(shape, value.type.elementType))
    }

    /// Adds a layer and returns its outputs.
    mutating func add(
        _ type: String, _ operationSet: String, _ inputs: [Value],
        _ attributes: KeyValuePairs<String, String> = [:], gives outputs: [TensorType], place: Place? = nil,
        decompresses: Bool = false, tensorName: String? = nil
    ) -> [Value] {
        let index = layers.count
        layers.append(
            Layer(
                type: type, operationSet: operationSet, name: "\(scope)/\(type)_\(index)",
                attributes: attributes.map { ($0.key, $0.value) }, inputs: inputs, outputs: outputs,
                place: place, isDecompression: decompresses, tensorName: tensorName))
        return outputs.enumerated().map {
            Value(layer: index, port: inputs.count + $0.offset, type: $0.element)
        }
    }

    /// Adds a constant whose bytes are at a place of the weights.
    mutating func addConstant(_ type: TensorType, at place: Place) -> Value {
        add("Const", "opset1", [], [:], gives: [type], place: place)[0]
    }

    /// Adds a tensor that is part of the network's definition.
    mutating func addConstant(_ tensor: HostTensor) -> Value {
        let offset =
            switch tensor.elements {
            case .float32(let values): append(values)
            case .int32(let values): append(values)
            }
        return addConstant(TensorType(tensor.shape, tensor.elementType), at: .constant(offset: offset))
    }

    /// Adds a list of integers, such as axes or a shape; equal lists are one constant.
    mutating func addIntegers(_ values: [Int]) -> Value {
        if let known = knownIntegers[values] { return known }
        let offset = append(values.map(Int64.init))
        let value = addConstant(TensorType([values.count], .int64), at: .constant(offset: offset))
        knownIntegers[values] = value
        return value
    }

    /// Adds kernels to be computed from the checkpoint's kernel `[O, C, 3, 3]`.
    mutating func addDerivedKernel(
        _ transform: DerivedKernel.Transform, of source: StoredKernel, outputChannels: Int, inputChannels: Int
    ) -> DerivedKernel {
        let derived = DerivedKernel(
            source: source, outputChannels: outputChannels, inputChannels: inputChannels,
            transform: transform, offset: (derivedByteCount + 63) & ~63)
        derivedKernels.append(derived)
        derivedByteCount = derived.offset + derived.byteCount
        return derived
    }

    /// Adds a weight of the checkpoint as `float32`, whatever it is stored as.
    mutating func addWidened(_ name: String, _ shape: Shape) -> Value {
        let offset = (derivedByteCount + 63) & ~63
        widenedWeights.append((name, shape, offset))
        derivedByteCount = offset + ElementType.float32.byteCount(of: shape.count)
        return addConstant(TensorType(shape), at: .derived(offset: offset))
    }

    private mutating func append<T>(_ values: [T]) -> Int {
        constants.append(contentsOf: repeatElement(0, count: -constants.count & 63))
        let offset = constants.count
        values.withUnsafeBytes { constants.append(contentsOf: $0) }
        return offset
    }

    /// The model as XML.
    ///
    /// - Parameter placing: Gives the offset of a constant's first byte in the buffer of weights.
    func xml(placing: (Place) throws -> Int) rethrows -> String {
        var text = "<?xml version=\"1.0\"?>\n<net name=\"easel\" version=\"11\">\n<layers>\n"
        for (index, layer) in layers.enumerated() {
            text += "<layer id=\"\(index)\" name=\"\(escaped(layer.name))\" type=\"\(layer.type)\" "
            text += "version=\"\(layer.operationSet)\">"
            var attributes = layer.attributes
            if let place = layer.place {
                let type = layer.outputs[0]
                attributes += [
                    ("element_type", type.elementType.irName), ("shape", list(type.shape.dimensions)),
                    ("offset", String(try placing(place))),
                    ("size", String(type.elementType.byteCount(of: type.shape.count))),
                ]
            }
            if !attributes.isEmpty {
                text += "<data"
                for attribute in attributes { text += " \(attribute.name)=\"\(attribute.value)\"" }
                text += "/>"
            }
            if layer.isDecompression {
                text += "<rt_info><attribute name=\"decompression\" version=\"0\"/></rt_info>"
            }
            if !layer.inputs.isEmpty {
                text += "<input>"
                for (port, input) in layer.inputs.enumerated() { text += portText(port, input.type) }
                text += "</input>"
            }
            if !layer.outputs.isEmpty {
                text += "<output>"
                for (offset, output) in layer.outputs.enumerated() {
                    text += portText(layer.inputs.count + offset, output, name: layer.tensorName)
                }
                text += "</output>"
            }
            text += "</layer>\n"
        }
        text += "</layers>\n<edges>\n"
        for (index, layer) in layers.enumerated() {
            for (port, input) in layer.inputs.enumerated() {
                text += "<edge from-layer=\"\(input.layer)\" from-port=\"\(input.port)\" "
                text += "to-layer=\"\(index)\" to-port=\"\(port)\"/>\n"
            }
        }
        return text + "</edges>\n</net>\n"
    }

    private func portText(_ port: Int, _ type: TensorType, name: String? = nil) -> String {
        let dimensions = type.shape.dimensions.map { "<dim>\($0)</dim>" }.joined()
        let names = name.map { " names=\"\(escaped($0))\"" } ?? ""
        return
            "<port id=\"\(port)\" precision=\"\(type.elementType.irPrecision)\"\(names)>\(dimensions)</port>"
    }
}

/// A list of numbers as attributes hold it.
func list(_ values: [Int]) -> String { values.map(String.init).joined(separator: ",") }

private func escaped(_ text: String) -> String {
    text.reduce(into: "") { result, character in
        switch character {
        case "&": result += "&amp;"
        case "<": result += "&lt;"
        case ">": result += "&gt;"
        case "\"": result += "&quot;"
        default: result.append(character)
        }
    }
}

extension ElementType {
    /// The type's name in attributes.
    var irName: String {
        switch self {
        case .float64: "f64"
        case .float32: "f32"
        case .float16: "f16"
        case .bfloat16: "bf16"
        case .int64: "i64"
        case .int32: "i32"
        case .int16: "i16"
        case .int8: "i8"
        case .uint8: "u8"
        case .int4: "i4"
        case .boolean: "boolean"
        }
    }

    /// The type's name on ports.
    var irPrecision: String {
        switch self {
        case .float64: "FP64"
        case .float32: "FP32"
        case .float16: "FP16"
        case .boolean: "BOOL"
        case .bfloat16, .int64, .int32, .int16, .int8, .uint8, .int4: irName.uppercased()
        }
    }
}
