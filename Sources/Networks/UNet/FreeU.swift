import Foundation
import TensorGraph

/// Which form of FreeU (Si et al., "FreeU: Free Lunch in Diffusion U-Net", 2023).
public enum FreeUVersion: String, Sendable, Hashable, CaseIterable {
    /// The backbone's first channels are scaled alike everywhere: the paper's equation 4, first edition, and diffusers.
    case v1
    /// Each cell is scaled as far as it stands out: the second edition.
    case v2
}

/// What a level going up begins with, `[M, C, h, w]`, with the first half of its channels stronger.
///
/// - Parameter scale: b, `[1, 1, 1, 1]`.
func freeUBackbone(_ x: Tensor, scale: Tensor, _ version: FreeUVersion) -> Tensor {
    let half = x.size(1) / 2
    guard half > 0 else { return x }
    var factor = scale
    if version == .v2 {
        let average = mean(x, axes: [1])  // [M, 1, h, w]
        let least = maximum(average * -1, axes: [2, 3]) * -1
        // A picture of one cell, or of equal ones, is not scaled.
        let spread = maximum(average, axes: [2, 3]) - least + 1e-6
        factor = (scale - 1) * ((average - least) / spread) + 1
    }
    return concatenate([slice(x, axis: 1, 0..<half) * factor, slice(x, axis: 1, half..<x.size(1))], axis: 1)
}

/// A skip connection `[N, C, h, w]` with its lowest frequencies weaker: those that the reference implementation's mask
/// keeps, 0 and −1 cycles along each axis, equation 8.
///
/// The Fourier transform of so few frequencies is a product with seven waves.
///
/// - Parameter scale: s, `[1, 1, 1, 1]`.
func freeUSkip(_ x: Tensor, scale: Tensor, _ builder: GraphBuilder) -> Tensor {
    let (height, width) = (x.size(2), x.size(3))
    let waves = lowWaves(height: height, width: width)
    let basis = builder.constant(waves)  // [h · w, waves]
    let cells = reshape(x, [x.size(0), x.size(1), height * width])
    let low = matrixMultiply(matrixMultiply(cells, basis), basis, transposesRight: true)
    let share = scale - 1
    return x + share * reshape(low * (1 / Float(height * width)), x.shape)
}

/// The cosines and sines of 0 and 1 cycles along the axes: `[height · width, waves]`.
private func lowWaves(height: Int, width: Int) -> HostTensor {
    var frequencies: [(Double, Double)] = []
    for down in 0...min(height - 1, 1) {
        for across in 0...min(width - 1, 1) { frequencies.append((Double(down), Double(across))) }
    }
    var values: [Float] = []
    for row in 0..<height {
        for column in 0..<width {
            for (down, across) in frequencies {
                let angle =
                    2 * Double.pi
                    * (down * Double(row) / Double(height) + across * Double(column) / Double(width))
                values.append(Float(cos(angle)))
                if (down, across) != (0, 0) { values.append(Float(sin(angle))) }
            }
        }
    }
    return HostTensor(values, shape: [height * width, values.count / (height * width)])
}
