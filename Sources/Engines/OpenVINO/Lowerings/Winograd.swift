import TensorGraph

/// Filtering a row of a picture with three taps by Winograd's algorithm F(4, 3): six multiplications for four
/// results, where the sum of products takes twelve (Lavin and Gray 2016, section 4; points 0, ±1, ±2 and ∞).
///
/// A row is cut into tiles of four results, each with the six elements that they depend on. Both transforms are
/// linear, so that each is one product with a matrix for a whole row.
enum Winograd {
    static let planes = 6
    private static let results = 4

    /// Bᵀ: the six elements of a tile to what is multiplied.
    private static let elementTransform: [[Float]] = [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]

    /// G: three taps to the six numbers that are multiplied with.
    static let tapTransform: [[Float]] = [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]

    /// Aᵀ: six products to the four results.
    private static let resultTransform: [[Float]] = [
        [1, 1, 1, 1, 1, 0],
        [0, 1, -1, 2, -2, 0],
        [0, 1, 1, 4, 4, 0],
        [0, 1, -1, 8, -8, 1],
    ]

    /// How many tiles a row of that many elements takes; the last may be partly empty.
    static func tiles(width: Int) -> Int { (width + results - 1) / results }

    /// The matrix `[width, 6 · tiles]` that takes a row, with a zero on either side, to its tiles: the first
    /// plane of every tile, then the second of every tile, and so on.
    static func tiling(width: Int) -> HostTensor {
        let tiles = tiles(width: width)
        var matrix = [Float](repeating: 0, count: width * planes * tiles)
        for tile in 0..<tiles {
            for (plane, factors) in elementTransform.enumerated() {
                for (element, factor) in factors.enumerated() {
                    let column = tile * results + element - 1
                    guard (0..<width).contains(column) else { continue }
                    matrix[column * planes * tiles + plane * tiles + tile] = factor
                }
            }
        }
        return HostTensor(matrix, shape: [width, planes * tiles])
    }

    /// The matrix `[6 · tiles, width]` that takes the products of all tiles to the row of results.
    static func untiling(width: Int) -> HostTensor {
        let tiles = tiles(width: width)
        var matrix = [Float](repeating: 0, count: planes * tiles * width)
        for tile in 0..<tiles {
            for (result, factors) in resultTransform.enumerated() {
                let column = tile * results + result
                guard column < width else { continue }
                for (plane, factor) in factors.enumerated() {
                    matrix[(plane * tiles + tile) * width + column] = factor
                }
            }
        }
        return HostTensor(matrix, shape: [planes * tiles, width])
    }
}
