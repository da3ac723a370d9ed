import TensorGraph

typealias Value = IntermediateRepresentation.Value

extension SiLU: LoweredComposite {
    func lower(
        _ inputs: [Value], type: TensorType, into representation: inout IntermediateRepresentation
    ) -> Value {
        representation.add("Swish", "opset4", inputs, gives: type)
    }
}

extension QuickGELU: LoweredComposite {
    func lower(
        _ inputs: [Value], type: TensorType, into representation: inout IntermediateRepresentation
    ) -> Value {
        let beta = representation.addConstant(HostTensor([Float(1.702)], shape: []))
        return representation.add("Swish", "opset4", inputs + [beta], gives: type)
    }
}

extension GELU: LoweredComposite {
    func lower(
        _ inputs: [Value], type: TensorType, into representation: inout IntermediateRepresentation
    ) -> Value {
        representation.add("Gelu", "opset7", inputs, ["approximation_mode": "ERF"], gives: type)
    }
}

extension GroupNorm: LoweredComposite {
    func lower(
        _ inputs: [Value], type: TensorType, into representation: inout IntermediateRepresentation
    ) -> Value {
        guard representation.keepsOrderOfSums else {
            return representation.add(
                "GroupNormalization", "opset12", inputs,
                ["num_groups": String(groups), "epsilon": String(epsilon)], gives: type)
        }
        // The library adds up a group's channels apart where it has several threads, and at once where it has one; a
        // row it always adds up at once.
        let (shape, channels) = (type.shape, type.shape[1])
        let grouped: Shape = [shape[0], groups, shape.count / max(shape[0] * groups, 1)]
        let flat = representation.addReshape(inputs[0], to: grouped)
        let normalized = representation.add(
            "MVN", "opset6", [flat, representation.addIntegers([2])],
            ["normalize_variance": "true", "eps": String(epsilon), "eps_mode": "inside_sqrt"],
            gives: TensorType(grouped))
        let whole = representation.addReshape(normalized, to: shape)
        func broadcast(_ value: Value) -> Value {
            representation.addReshape(value, to: [1, channels, 1, 1])
        }
        let scaled = representation.add(
            "Multiply", "opset1", [whole, broadcast(inputs[1])], ["auto_broadcast": "numpy"], gives: type)
        return representation.add(
            "Add", "opset1", [scaled, broadcast(inputs[2])], ["auto_broadcast": "numpy"], gives: type)
    }
}

extension LayerNorm: LoweredComposite {
    func lower(
        _ inputs: [Value], type: TensorType, into representation: inout IntermediateRepresentation
    ) -> Value {
        let axes = representation.addIntegers([type.shape.rank - 1])
        let normalized = representation.add(
            "MVN", "opset6", [inputs[0], axes],
            ["normalize_variance": "true", "eps": String(epsilon), "eps_mode": "inside_sqrt"], gives: type)
        let scaled = representation.add(
            "Multiply", "opset1", [normalized, inputs[1]], ["auto_broadcast": "numpy"], gives: type)
        return representation.add(
            "Add", "opset1", [scaled, inputs[2]], ["auto_broadcast": "numpy"], gives: type)
    }
}

extension ScaledDotProductAttention: LoweredComposite {
    func lower(
        _ inputs: [Value], type: TensorType, into representation: inout IntermediateRepresentation
    ) -> Value {
        let zero = { (representation: inout IntermediateRepresentation) in
            representation.addConstant(HostTensor([Float(0)], shape: []))
        }
        let mask = inputs.count == 4 ? inputs[3] : zero(&representation)
        let factor = representation.addConstant(HostTensor([scale], shape: []))
        return representation.add(
            "ScaledDotProductAttention", "opset13", Array(inputs.prefix(3)) + [mask, factor],
            ["causal": "false"], gives: type)
    }
}
