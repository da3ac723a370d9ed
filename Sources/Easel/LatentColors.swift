import Foundation
import Imaging
import Sampling
import TensorGraph

/// How latents look without the decoder: a colour for each cell, linear in its channels, fitted to what the model's own
/// decoder makes.
struct LatentColors: Sendable {
    /// For red, green and blue, −1…1: a factor for each channel, then what is added.
    private let factors: [[Double]]

    /// The pictures of latents, a pixel a cell.
    func images(of latents: Latents) -> [Image] {
        let cells = latents.height * latents.width
        return (0..<latents.batch).map { picture in
            var pixels = [UInt8](repeating: 0, count: 3 * cells)
            for cell in 0..<cells {
                for color in 0..<3 {
                    var value = factors[color][latents.channels]
                    for channel in 0..<latents.channels {
                        let place = (picture * latents.channels + channel) * cells + cell
                        value += factors[color][channel] * Double(latents.values[place])
                    }
                    pixels[3 * cell + color] = UInt8(min(max((value + 1) * 127.5, 0), 255).rounded())
                }
            }
            return Image(width: latents.width, height: latents.height, pixels: pixels)
        }
    }

    /// What is known of latents and their pictures: the sums of least squares.
    struct Fit: Sendable {
        private let channels: Int
        /// Σ z zᵀ and Σ z colourᵀ, where z is a cell's channels and 1.
        private var products: [[Double]]
        private var targets: [[Double]]

        init(channels: Int) {
            self.channels = channels
            products = Array(repeating: Array(repeating: 0, count: channels + 1), count: channels + 1)
            targets = Array(repeating: Array(repeating: 0, count: channels + 1), count: 3)
        }

        /// Adds latents and the picture that the decoder made of them; the outermost cells are left out, where it knows
        /// less.
        mutating func add(_ latents: Latents, _ image: Image) {
            let (cells, factor) = (latents.height * latents.width, image.width / latents.width)
            guard factor > 0, latents.batch == 1, latents.channels == channels,
                image.height == latents.height * factor
            else { return }
            for row in 1..<max(latents.height - 1, 1) {
                for column in 1..<max(latents.width - 1, 1) {
                    let cell = row * latents.width + column
                    let z = (0..<channels).map { Double(latents.values[$0 * cells + cell]) } + [1]
                    let colors = image.mean(
                        x: column * factor, y: row * factor, width: factor, height: factor)
                    for index in z.indices {
                        for other in z.indices { products[index][other] += z[index] * z[other] }
                        for color in 0..<3 { targets[color][index] += z[index] * colors[color] }
                    }
                }
            }
        }

        /// The colours that fit best.
        var colors: LatentColors {
            var ridge = products
            // So that channels of which nothing is known count for nothing.
            for index in ridge.indices { ridge[index][index] += 1e-3 }
            return LatentColors(factors: targets.map { solved(ridge, $0) })
        }
    }
}

/// x of a·x = b, by Gauss's elimination; a is symmetric and positive definite.
private func solved(_ a: [[Double]], _ b: [Double]) -> [Double] {
    var rows = zip(a, b).map { $0 + [$1] }
    let count = b.count
    for pivot in 0..<count {
        for row in pivot + 1..<max(count, pivot + 1) {
            let share = rows[row][pivot] / rows[pivot][pivot]
            for column in pivot...count { rows[row][column] -= share * rows[pivot][column] }
        }
    }
    var x = [Double](repeating: 0, count: count)
    for row in (0..<count).reversed() {
        let known = (row + 1..<max(count, row + 1)).reduce(0) { $0 + rows[row][$1] * x[$1] }
        x[row] = (rows[row][count] - known) / rows[row][row]
    }
    return x
}

extension Image {
    /// The mean colour of a part, −1…1.
    fileprivate func mean(x: Int, y: Int, width partWidth: Int, height partHeight: Int) -> [Double] {
        var sums = [0, 0, 0]
        for row in y..<y + partHeight {
            for column in x..<x + partWidth {
                for color in 0..<3 { sums[color] += Int(pixels[3 * (row * width + column) + color]) }
            }
        }
        return sums.map { Double($0) / Double(partWidth * partHeight) / 127.5 - 1 }
    }
}
