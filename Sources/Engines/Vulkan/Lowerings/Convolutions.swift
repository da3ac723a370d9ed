import TensorGraph

extension Lowering {
    /// y[n, o, i, j] = f(Σ x[n, c, …] k[o, c, …] + bias[o] + pictureBias[n, o] + residual[n, o, i, j])
    mutating func convolve(
        _ x: View, _ kernel: View, _ convolution: Convolution, enlargement: Int, shape: [Int],
        bias: View? = nil, pictureBias: View? = nil, residual: View? = nil, _ function: Function = .identity
    ) throws -> View {
        let x = x.channelsLast == nil ? try dense(x, order: Self.channelsLast) : x
        let residual = try residual.map {
            $0.channelsLast == nil ? try dense($0, order: Self.channelsLast) : $0
        }
        let bias = try bias.map { try columns($0, axis: $0.rank - 3) }
        let pictureBias = try pictureBias.map {
            $0.shape[1] == 1 || $0.strides[1] == 1 ? $0 : try contiguous($0)
        }
        let y = allocate(shape, order: Self.channelsLast)
        guard let from = x.channelsLast, let to = y.channelsLast else {
            preconditionFailure("pictures have their channels last")
        }
        let beside = residual?.channelsLast ?? (0, 0)
        let (channels, outputs) = (kernel.shape[1], kernel.shape[0] / convolution.groups)
        let pixels = shape[0] * shape[2] * shape[3]
        let numbers = [
            pixels, channels, outputs, x.shape[2], x.shape[3], shape[2], shape[3], from.picture,
            from.pixel, to.picture, to.pixel, beside.picture, beside.pixel, pictureBias?.strides[0] ?? 0,
        ].map { UInt32($0) }
        let sums = ProductSizes(
            rows: pixels, columns: outputs, depth: kernel.shape.dropFirst().reduce(1, *),
            batches: convolution.groups)
        let window = [
            kernel.shape[2], kernel.shape[3], convolution.stride, convolution.padding.top,
            convolution.padding.left, enlargement, pictureBias == nil ? 0 : 1,
        ].map { Int32($0) }
        let isRagged = outputs % 8 != 0
        let matrices = CooperativeProduct(
            ProductShape(
                kind: .convolution(
                    height: kernel.shape[2], width: kernel.shape[3], stride: convolution.stride,
                    enlargement: enlargement),
                rows: pixels, columns: outputs, depth: channels * kernel.shape[2] * kernel.shape[3],
                batches: convolution.groups), tuning,
            isFitting: isHalf && channels % 8 == 0
                && (!isRagged || convolution.groups == 1 && residual == nil && pictureBias == nil)
                && x.isAligned([from.picture, from.pixel], to: 8)
                && kernel.isAligned([], to: 8)
                && (residual?.isAligned([beside.picture, beside.pixel], to: 8) ?? true)
                && (bias?.isAligned([], to: 8) ?? true)
                && (pictureBias?.isAligned([shape[0] > 1 ? pictureBias?.strides[0] ?? 0 : 0], to: 8) ?? true))
        if let matrices {
            let end = ProductEnd(
                bias: bias, pictureBias: pictureBias, residual: residual, function: function, scale: 1)
            let target = matrices.parts > 1 ? allocate([matrices.parts, pixels, outputs], .wide) : y
            call(
                matrices.kernel(.cooperativeConvolution, end, window + [isRagged ? 1 : 0]),
                [
                    .reads(x), .reads(kernel), .writes(target), .reads(bias ?? .absent),
                    .reads(pictureBias ?? .absent), .reads(residual ?? .absent),
                ], numbers + [UInt32(matrices.partDepth)],
                matrices.workgroups, products: sums, division: matrices.division)
            if matrices.parts > 1 {
                add(
                    partsOf: matrices, target, to: y, at: (to.picture, to.pixel),
                    residualAt: (beside.picture, beside.pixel), pixels: shape[2] * shape[3], end)
            }
            return y
        }
        let tile = tile(rows: pixels, columns: outputs)
        let isVector = channels % 4 == 0
        let (workgroups, isFolded) = workgroups(
            rows: pixels, columns: outputs, batches: convolution.groups, tile)
        call(
            Kernel(
                shader: .convolution, isHalf: isHalf,
                constants: [
                    tile.rows, tile.columns, isVector && x.isAligned([from.picture, from.pixel]) ? 1 : 0,
                    isVector && kernel.isAligned([]) ? 1 : 0, bias == nil ? 0 : 1, residual == nil ? 0 : 1,
                    function.rawValue, isFolded ? 1 : 0,
                ] + window),
            [
                .reads(x), .reads(kernel), .writes(y), .reads(bias ?? .absent),
                .reads(pictureBias ?? .absent), .reads(residual ?? .absent),
            ],
            numbers, workgroups, products: sums)
        return y
    }
}
