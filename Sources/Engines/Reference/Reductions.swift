import Foundation
import TensorGraph

/// y = the sum, the mean or the greatest of x along the axes.
func reduce(_ x: HostTensor, _ reduction: Reduction, gives shape: Shape) -> HostTensor {
    let values = x.floats
    let strides = shape.broadcastStrides(to: x.shape)
    var sums = [Double](repeating: 0, count: shape.count)
    var greatest = [Float](repeating: -.infinity, count: shape.count)
    for (position, index) in x.shape.indices.enumerated() {
        let target = offset(index, strides)
        sums[target] += Double(values[position])
        greatest[target] = values[position].isNaN ? .nan : max(greatest[target], values[position])
    }
    let count = Double(reduction.axes.reduce(1) { $0 * x.shape[$1] })
    let result: [Float] =
        switch reduction.kind {
        case .sum: sums.map { Float($0) }
        case .mean: sums.map { Float($0 / count) }
        case .maximum: greatest
        }
    return HostTensor(result, shape: shape)
}

/// y[i] = e^(x[i] − m) / Σ e^(x[j] − m) along the axis, where m is the greatest there.
func softmax(_ x: HostTensor, axis: Int) -> HostTensor {
    var values = x.floats
    let size = x.shape[axis]
    let step = x.shape.strides[axis]
    for start in 0..<values.count where start / step % size == 0 {
        let places = (0..<size).map { start + $0 * step }
        let greatest = places.map { Double(values[$0]) }.max() ?? 0
        let powers = places.map { exp(Double(values[$0]) - greatest) }
        let sum = powers.reduce(0, +)
        for (place, power) in zip(places, powers) { values[place] = Float(power / sum) }
    }
    return HostTensor(values, shape: x.shape)
}
