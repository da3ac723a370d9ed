import TensorGraph

extension Lowering {
    /// Adds the layers of a primitive and returns its value.
    ///
    /// - Precondition: It is no convolution and does not gather: those look at more of the graph.
    mutating func lower(
        _ primitive: Primitive, _ inputs: [IntermediateRepresentation.Value], type: TensorType
    ) -> IntermediateRepresentation.Value {
        switch primitive {
        case .input(let name):
            representation.add(
                "Parameter", "opset1", [],
                ["shape": list(type.shape.dimensions), "element_type": type.elementType.irName],
                gives: [type],
                tensorName: name)[0]
        case .weight(let name, let storage) where !storage.isTaken(in: type.shape):
            representation.addWidened(name, type.shape)
        case .weight(let name, let storage): lowerWeight(at: .weight(name), storage: storage, type: type)
        case .constant(let tensor): representation.addConstant(tensor)
        case .unary(.round):
            representation.add("Round", "opset5", inputs, ["mode": "half_to_even"], gives: type)
        case .unary(let unary): representation.add(unary.irName, "opset1", inputs, gives: type)
        case .binary(let binary):
            representation.add(binary.irName, "opset1", inputs, ["auto_broadcast": "numpy"], gives: type)
        case .softmax(let axis):
            representation.add("SoftMax", "opset8", inputs, ["axis": String(axis)], gives: type)
        case .reduce(let reduction):
            representation.add(
                reduction.kind.irName, "opset1", inputs + [representation.addIntegers(reduction.axes)],
                ["keep_dims": "true"], gives: type)
        case .matrixMultiply(let product):
            lowerProduct(product, inputs, type: type)
        case .convolution, .gather:
            preconditionFailure("\(primitive) is lowered with what the graph says of its operands")
        case .upsampleNearest(let factor): lowerUpsampling(factor, inputs, type: type)
        case .scatter(let scatter): lowerScatter(scatter, inputs, type: type)
        case .topIndices(let count): lowerTopIndices(count, inputs, type: type)
        case .reshape(let shape): representation.addReshape(inputs[0], to: shape)
        case .transpose(let permutation):
            representation.add(
                "Transpose", "opset1", inputs + [representation.addIntegers(permutation)], gives: type)
        case .concatenate(let axis):
            representation.add("Concat", "opset1", inputs, ["axis": String(axis)], gives: type)
        case .slice(let slice):
            representation.add(
                "Slice", "opset8",
                inputs
                    + [[slice.start], [slice.end], [1], [slice.axis]].map { representation.addIntegers($0) },
                gives: type)
        }
    }

    mutating func lowerWeight(
        at place: IntermediateRepresentation.Place, storage: ElementType, type: TensorType
    ) -> IntermediateRepresentation.Value {
        let stored = representation.addConstant(TensorType(type.shape, storage), at: place)
        guard storage != type.elementType else { return stored }
        let values = representation.add(
            "Convert", "opset1", [stored], ["destination_type": type.elementType.irName], gives: type,
            decompresses: storage.isFloatingPoint)
        guard storage == .int8, halvesIntegers else { return values }
        // Rounded to even numbers, of which the library stores the halves.
        let ends = [Float(-254), 254].map { representation.addConstant(HostTensor([$0], shape: [])) }
        return representation.add(
            "FakeQuantize", "opset1", [values] + ends + ends,
            ["levels": "255", "auto_broadcast": "numpy"], gives: type)
    }

    /// - Parameter table: The name of the table in the checkpoint; nil for one that the graph computes. The library
    ///   takes some thirty nanoseconds a number to widen the table of a Gather, so that it is given a wide one.
    mutating func lowerGather(
        _ inputs: [IntermediateRepresentation.Value], table: String?, type: TensorType
    ) -> IntermediateRepresentation.Value {
        let zero = representation.addConstant(HostTensor([Int32(0)], shape: []))
        let values = table.map { representation.addWidened($0, inputs[0].type.shape) } ?? inputs[0]
        return representation.add(
            "Gather", "opset8", [values, inputs[1], zero], ["batch_dims": "0"], gives: type)
    }

    private mutating func lowerScatter(
        _ scatter: Scatter, _ inputs: [IntermediateRepresentation.Value], type: TensorType
    ) -> IntermediateRepresentation.Value {
        let count = inputs[1].type.shape[0]
        let rows = representation.addReshape(inputs[1], to: [count, 1])
        return representation.add(
            "ScatterNDUpdate", "opset15", [inputs[0], rows, inputs[2]],
            ["reduction": scatter == .add ? "sum" : "none"], gives: type)
    }

    private mutating func lowerTopIndices(
        _ count: Int, _ inputs: [IntermediateRepresentation.Value], type: TensorType
    ) -> IntermediateRepresentation.Value {
        // In a stable order of equals it takes time that grows with the square of the count.
        let number = representation.addConstant(HostTensor([Int32(count)], shape: []))
        return representation.add(
            "TopK", "opset11", [inputs[0], number],
            [
                "axis": String(inputs[0].type.shape.rank - 1), "mode": "max", "sort": "value",
                "index_element_type": "i32", "stable": "false",
            ], gives: [TensorType(type.shape), type])[1]
    }

    private mutating func lowerUpsampling(
        _ factor: Int, _ inputs: [IntermediateRepresentation.Value], type: TensorType
    ) -> IntermediateRepresentation.Value {
        let scales = representation.addConstant(HostTensor([Float(factor), Float(factor)], shape: [2]))
        return representation.add(
            "Interpolate", "opset11", inputs + [scales, representation.addIntegers([2, 3])],
            [
                "mode": "nearest", "shape_calculation_mode": "scales",
                "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor", "antialias": "false",
                "pads_begin": "0", "pads_end": "0", "cube_coeff": "-0.75",
            ], gives: type)
    }
}

extension Unary {
    fileprivate var irName: String {
        switch self {
        case .exponential: "Exp"
        case .squareRoot: "Sqrt"
        case .sine: "Sin"
        case .cosine: "Cos"
        case .sigmoid: "Sigmoid"
        case .hyperbolicTangent: "Tanh"
        case .errorFunction: "Erf"
        case .round: "Round"
        }
    }
}

extension Binary {
    fileprivate var irName: String {
        switch self {
        case .add: "Add"
        case .subtract: "Subtract"
        case .multiply: "Multiply"
        case .divide: "Divide"
        case .maximum: "Maximum"
        case .minimum: "Minimum"
        }
    }
}

extension Reduction.Kind {
    fileprivate var irName: String {
        switch self {
        case .sum: "ReduceSum"
        case .mean: "ReduceMean"
        case .maximum: "ReduceMax"
        }
    }
}
