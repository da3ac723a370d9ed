import TensorGraph

/// The forms that a convolution of 3×3 may be computed in beside the plain one: each the same sum of products,
/// with fewer multiplications, from kernels that are computed once from the checkpoint's.
struct ConvolutionForms {
    enum Use { case never, whereFaster, wherePossible }

    /// Winograd's algorithm along the rows. For `float32`: its intermediate values are larger than the results,
    /// which half precision does not bear.
    let winograd: Use
    /// The convolution of a picture enlarged by two as four convolutions of 2×2 of the picture itself.
    let upsampled: Use

    static let plain = ConvolutionForms(winograd: .never, upsampled: .never)
    /// For tests: every convolution that can be is computed in another form.
    static let wherePossible = ConvolutionForms(winograd: .wherePossible, upsampled: .wherePossible)
}

/// A kernel of the checkpoint.
struct StoredKernel {
    let name: String
    /// The name of what its integers are multiplied by, one number for each output channel; nil where it is of
    /// floating-point numbers.
    let scale: String?
}

/// What a convolution of the graph reads.
struct ConvolutionSource {
    /// The kernel in the checkpoint; nil for one that the graph computes.
    let kernel: StoredKernel?
    /// Whether the input's value is still the picture before it is enlarged by two.
    let isUpsampled: Bool
}

extension Graph {
    /// The nodes that enlarge a picture by two, where all that read them are convolutions that do so themselves.
    ///
    /// - Parameter cells: How many cells a picture needs for that, before it is enlarged.
    func upsamplingsWithinConvolutions(ofAtLeast cells: Int) -> Set<Int> {
        var candidates = Set(
            nodes.indices.filter { index in
                guard case .primitive(.upsampleNearest(factor: 2)) = nodes[index].operation else {
                    return false
                }
                return nodes[index].type.shape[2] * nodes[index].type.shape[3] >= 4 * cells
            })
        candidates.subtract(outputs.map(\.node))
        for node in nodes {
            let isCovered =
                if case .primitive(.convolution(let convolution)) = node.operation {
                    convolution.isOfThree(nodes[node.inputs[1]].type.shape)
                        && storedKernel(node.inputs[1]) != nil && node.inputs[0] != node.inputs[1]
                } else { false }
            if !isCovered { candidates.subtract(node.inputs) }
        }
        return candidates
    }

    /// The name of the weight that a node is; nil for other nodes.
    func storedWeight(_ node: Int) -> String? {
        guard case .primitive(.weight(let name, _)) = nodes[node].operation else { return nil }
        return name
    }

    /// The kernel that a node is, as the checkpoint has it or its integers times their scale; nil for other nodes.
    func storedKernel(_ node: Int) -> StoredKernel? {
        if let name = storedWeight(node) { return StoredKernel(name: name, scale: nil) }
        guard case .primitive(.binary(.multiply)) = nodes[node].operation,
            case (let kernel, let scale) = (nodes[node].inputs[0], nodes[node].inputs[1]),
            case .primitive(.weight(let name, .int8)) = nodes[kernel].operation,
            let scaleName = storedWeight(scale), nodes[kernel].type.shape.rank == 4,
            nodes[scale].type.shape == [nodes[kernel].type.shape[0], 1, 1, 1]
        else { return nil }
        return StoredKernel(name: name, scale: scaleName)
    }
}

extension Convolution {
    /// Whether this is a convolution of 3×3 that keeps a picture's size, over all channels.
    func isOfThree(_ kernel: Shape) -> Bool {
        kernel.rank == 4 && kernel[2] == 3 && kernel[3] == 3 && stride == 1 && groups == 1
            && padding == Padding(1)
    }
}

extension Lowering {
    mutating func lowerConvolution(
        _ convolution: Convolution, _ inputs: [Value], _ source: ConvolutionSource, type: TensorType
    ) -> Value {
        guard let kernel = source.kernel, convolution.isOfThree(inputs[1].type.shape) else {
            return lowerDirectly(convolution, inputs, type: type)
        }
        if source.isUpsampled {
            return lowerUpsampled(inputs[0], kernel: kernel, type: type)
        }
        if kernel.scale == nil, usesWinograd(inputs[0].type.shape, outputChannels: type.shape[1]) {
            return lowerByWinograd(inputs[0], kernel: kernel, type: type)
        }
        return lowerDirectly(convolution, inputs, type: type)
    }

    private mutating func lowerDirectly(
        _ convolution: Convolution, _ inputs: [Value], type: TensorType
    ) -> Value {
        var kernel = inputs[1]
        if convolution.groups > 1 {
            let shape = kernel.type.shape
            let grouped = [convolution.groups, shape[0] / convolution.groups] + shape.dimensions.dropFirst()
            kernel = representation.addReshape(kernel, to: Shape(grouped))
        }
        return addConvolution(
            convolution.groups > 1 ? "GroupConvolution" : "Convolution", of: inputs[0], kernel,
            stride: convolution.stride, padding: convolution.padding, type: type)
    }

    private mutating func addConvolution(
        _ layer: String = "Convolution", of x: Value, _ kernel: Value, stride: Int = 1,
        padding: Convolution.Padding, type: TensorType
    ) -> Value {
        representation.add(
            layer, "opset1", [x, kernel],
            [
                "strides": list([stride, stride]), "dilations": "1,1",
                "pads_begin": list([padding.top, padding.left]),
                "pads_end": list([padding.bottom, padding.right]), "auto_pad": "explicit",
            ], gives: type)
    }

    /// Whether Winograd's algorithm is to be used for a picture `[N, C, h, w]`.
    ///
    /// It halves the multiplications, 9 · C · O a cell, and pays with products along the rows, 1.5 · w for each
    /// channel, and with copies, which take as long as some 270 multiplications for each channel (measured on an
    /// AVX2 processor). Kernels double in size, so that it is left where they are large for the work they do.
    private func usesWinograd(_ shape: Shape, outputChannels: Int) -> Bool {
        switch forms.winograd {
        case .never: return false
        case .wherePossible: return true
        case .whereFaster:
            let (channels, cells, width) = (shape[1], shape[2] * shape[3], shape[3])
            let saved = 4.5 * Double(channels) * Double(outputChannels)
            let paid = Double(channels + outputChannels) * (1.5 * Double(width) + 270)
            return cells >= 1024 && channels * outputChannels <= 1 << 20 + 1 << 18 && saved > 1.2 * paid
        }
    }

    private mutating func lowerByWinograd(_ x: Value, kernel: StoredKernel, type: TensorType) -> Value {
        let (batch, channels, height) = (type.shape[0], x.type.shape[1], type.shape[2])
        let (outputs, width) = (type.shape[1], type.shape[3])
        let tiles = Winograd.tiles(width: width)
        let kernels = addDerivedKernel(.winograd, of: kernel, outputs: outputs, inputs: channels)
        let tiled = multiply(
            x, matrix(width, tiling: true),
            gives: TensorType([batch, channels, height, Winograd.planes * tiles]))
        let planes = representation.add(
            "Split", "opset1", [tiled, representation.addConstant(HostTensor([Int32(3)], shape: []))],
            ["num_splits": String(Winograd.planes)],
            gives: Array(
                repeating: TensorType([batch, channels, height, tiles]), count: Winograd.planes))
        let products = zip(planes, kernels).map { plane, kernel in
            addConvolution(
                of: plane, kernel, padding: .init(top: 1, left: 0, bottom: 1, right: 0),
                type: TensorType([batch, outputs, height, tiles]))
        }
        let joined = representation.add(
            "Concat", "opset1", products, ["axis": "3"],
            gives: TensorType([batch, outputs, height, Winograd.planes * tiles]))
        return multiply(joined, matrix(width, tiling: false), gives: type)
    }

    private mutating func matrix(_ width: Int, tiling: Bool) -> Value {
        let key = TilingKey(width: width, isTiling: tiling)
        if let known = tilings[key] { return known }
        let matrix = representation.addConstant(
            tiling ? Winograd.tiling(width: width) : Winograd.untiling(width: width))
        tilings[key] = matrix
        return matrix
    }

    private mutating func multiply(_ x: Value, _ matrix: Value, gives type: TensorType) -> Value {
        representation.add(
            "MatMul", "opset1", [x, matrix], ["transpose_a": "false", "transpose_b": "false"], gives: type)
    }

    private mutating func lowerUpsampled(_ x: Value, kernel: StoredKernel, type: TensorType) -> Value {
        let (batch, outputs) = (type.shape[0], type.shape[1])
        let (height, width) = (x.type.shape[2], x.type.shape[3])
        let kernels = addDerivedKernel(.upsampled, of: kernel, outputs: outputs, inputs: x.type.shape[1])
        // Of each block of 2×2, the first row and column look back, the second ahead.
        let blocks = kernels.enumerated().map { block, kernel in
            let (row, column) = (block / 2, block % 2)
            return addConvolution(
                of: x, kernel, padding: .init(top: 1 - row, left: 1 - column, bottom: row, right: column),
                type: TensorType([batch, outputs, height, width]))
        }
        let joined = representation.add(
            "Concat", "opset1", blocks, ["axis": "1"],
            gives: TensorType([batch, 4 * outputs, height, width]))
        return representation.add(
            "DepthToSpace", "opset1", [joined], ["mode": "blocks_first", "block_size": "2"], gives: type)
    }

    private mutating func addDerivedKernel(
        _ transform: DerivedKernel.Transform, of source: StoredKernel, outputs: Int, inputs: Int
    ) -> [Value] {
        let derived = representation.addDerivedKernel(
            transform, of: source, outputChannels: outputs, inputChannels: inputs)
        return (0..<transform.planes).map { plane in
            let values = lowerWeight(
                at: .derived(offset: derived.offset + plane * derived.planeByteCount),
                storage: derived.elementType, type: TensorType(derived.planeShape))
            guard source.scale != nil else { return values }
            let scale = representation.addConstant(
                TensorType([outputs, 1, 1, 1]), at: .derived(offset: derived.scaleOffset(plane: plane)))
            return representation.add(
                "Multiply", "opset1", [values, scale], ["auto_broadcast": "numpy"], gives: values.type)
        }
    }
}
