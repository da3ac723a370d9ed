import Foundation
import TensorGraph

/// y[i] = f(x[i])
func elementwise(_ unary: Unary, _ x: HostTensor) -> HostTensor {
    HostTensor(x.floats.map { Float(unary.exact(Double($0))) }, shape: x.shape)
}

extension Unary {
    fileprivate func exact(_ x: Double) -> Double {
        switch self {
        case .exponential: exp(x)
        case .squareRoot: x.squareRoot()
        case .sine: sin(x)
        case .cosine: cos(x)
        case .sigmoid: 1 / (1 + exp(-x))
        case .hyperbolicTangent: tanh(x)
        case .errorFunction: erf(x)
        case .round: x.rounded(.toNearestOrEven)
        }
    }
}

/// y[i] = f(a[i], b[i]), where an axis of size 1, or one that is not there, is read again and again.
func elementwise(_ binary: Binary, _ a: HostTensor, _ b: HostTensor, gives shape: Shape) -> HostTensor {
    let (left, right) = (a.floats, b.floats)
    let (leftStrides, rightStrides) = (
        a.shape.broadcastStrides(to: shape), b.shape.broadcastStrides(to: shape)
    )
    return HostTensor(
        shape.indices.map { index in
            binary.apply(left[offset(index, leftStrides)], right[offset(index, rightStrides)])
        }, shape: shape)
}

extension Binary {
    fileprivate func apply(_ a: Float, _ b: Float) -> Float {
        switch self {
        case .add: a + b
        case .subtract: a - b
        case .multiply: a * b
        case .divide: a / b
        case .maximum: a.isNaN || b.isNaN ? .nan : max(a, b)
        case .minimum: a.isNaN || b.isNaN ? .nan : min(a, b)
        }
    }
}
