import TensorGraph

/// y[…, i, j] = Σₖ a[…, i, k] b[…, k, j], with either operand's two inner axes exchanged where it is so asked.
func multiply(_ a: HostTensor, _ b: HostTensor, _ product: MatrixMultiply, gives shape: Shape) -> HostTensor {
    let (left, right) = (a.floats, b.floats)
    let inner = product.transposesLeft ? a.shape[-2] : a.shape[-1]
    // How far apart neighbours are along the row or column of the result, and along the sum.
    let (leftRow, leftInner) = product.transposesLeft ? (1, a.shape[-1]) : (a.shape[-1], 1)
    let (rightColumn, rightInner) = product.transposesRight ? (b.shape[-1], 1) : (1, b.shape[-1])
    let outer = Shape(shape.dimensions.dropLast(2))
    let leftStrides = a.shape.outerStrides(to: outer)
    let rightStrides = b.shape.outerStrides(to: outer)
    var result: [Float] = []
    result.reserveCapacity(shape.count)
    for index in outer.indices {
        let leftStart = offset(index, leftStrides)
        let rightStart = offset(index, rightStrides)
        for row in 0..<shape[-2] {
            for column in 0..<shape[-1] {
                var sum = 0.0
                for k in 0..<inner {
                    sum +=
                        Double(left[leftStart + row * leftRow + k * leftInner])
                        * Double(right[rightStart + column * rightColumn + k * rightInner])
                }
                result.append(Float(sum))
            }
        }
    }
    return HostTensor(result, shape: shape)
}

extension Shape {
    /// Strides of the axes outside the two innermost, broadcast to those of a product.
    fileprivate func outerStrides(to outer: Shape) -> [Int] {
        let matrix = self[-1] * self[-2]
        return Shape(Array(dimensions.dropLast(2))).broadcastStrides(to: outer).map { $0 * matrix }
    }
}

/// y[n, o, i, j] = Σ x[n, c, s i + u − top, s j + v − left] k[o, c, u, v], where x is zero outside, and c runs over
/// the channels of o's group.
func convolve(
    _ x: HostTensor, _ kernel: HostTensor, _ convolution: Convolution, gives shape: Shape
) -> HostTensor {
    let (values, weights) = (x.floats, kernel.floats)
    let (height, width) = (x.shape[2], x.shape[3])
    let (channels, rows, columns) = (kernel.shape[1], kernel.shape[2], kernel.shape[3])
    let outputsInGroup = kernel.shape[0] / convolution.groups
    return HostTensor(
        shape.indices.map { index in
            let firstChannel = index[1] / outputsInGroup * channels
            var sum = 0.0
            for channel in 0..<channels {
                for u in 0..<rows {
                    let row = convolution.stride * index[2] + u - convolution.padding.top
                    guard (0..<height).contains(row) else { continue }
                    for v in 0..<columns {
                        let column = convolution.stride * index[3] + v - convolution.padding.left
                        guard (0..<width).contains(column) else { continue }
                        let plane = index[0] * x.shape[1] + firstChannel + channel
                        sum +=
                            Double(values[(plane * height + row) * width + column])
                            * Double(weights[((index[1] * channels + channel) * rows + u) * columns + v])
                    }
                }
            }
            return Float(sum)
        }, shape: shape)
}
