import Foundation
import TensorGraph

/// One of the sizes that a U-Net has its operations in.
enum Workload {
    case product(rows: Int, columns: Int, depth: Int)
    /// Kernels of 3×3 on square pictures.
    case convolution(pictures: Int, side: Int, channels: Int, outputs: Int)
    case attention(pictures: Int, heads: Int, queries: Int, keys: Int, size: Int)

    static let all: [Workload] =
        [
            (8192, 320, 320), (8192, 2560, 320), (8192, 320, 1280), (2048, 640, 640), (2048, 5120, 640),
            (2048, 640, 2560), (512, 1280, 1280), (512, 10240, 1280), (512, 1280, 5120), (8192, 8192, 8192),
        ].map { .product(rows: $0, columns: $1, depth: $2) }
        + [
            (2, 64, 320, 320), (2, 64, 640, 320), (2, 64, 960, 320), (2, 32, 640, 640), (2, 32, 1280, 640),
            (2, 32, 1920, 640), (2, 16, 1280, 1280), (2, 16, 2560, 1280), (2, 8, 1280, 1280),
            (2, 8, 2560, 1280), (1, 512, 128, 128), (1, 256, 256, 256),
        ].map { .convolution(pictures: $0, side: $1, channels: $2, outputs: $3) }
        + [
            (2, 8, 4096, 4096, 40), (2, 8, 1024, 1024, 80), (2, 8, 256, 256, 160), (2, 8, 4096, 77, 40),
            (2, 10, 4096, 4096, 64),
        ].map { .attention(pictures: $0, heads: $1, queries: $2, keys: $3, size: $4) }

    /// How many of one kind a graph has.
    static let inARow = 10

    var name: String {
        let (kind, sizes): (String, [Int]) =
            switch self {
            case .product(let rows, let columns, let depth): ("product", [rows, columns, depth])
            case .convolution(let pictures, let side, let channels, let outputs):
                ("convolution", [pictures, side, channels, outputs])
            case .attention(let pictures, let heads, let queries, let keys, let size):
                ("attention", [pictures, heads, queries, keys, size])
            }
        return kind + " " + sizes.map(String.init).joined(separator: "×")
    }

    /// The multiplications and additions.
    var operations: Int {
        switch self {
        case .product(let rows, let columns, let depth): 2 * rows * columns * depth
        case .convolution(let pictures, let side, let channels, let outputs):
            2 * pictures * side * side * outputs * channels * 9
        case .attention(let pictures, let heads, let queries, let keys, let size):
            4 * pictures * heads * queries * keys * size
        }
    }

    var inputs: [(name: String, shape: Shape)] {
        switch self {
        case .product(let rows, _, let depth): [("x", [rows + Self.inARow, depth])]
        case .convolution(let pictures, let side, let channels, _): [("x", [pictures, channels, side, side])]
        case .attention(let pictures, let heads, let queries, let keys, let size):
            [("q", queries), ("k", keys), ("v", keys)].map { ($0, [pictures, $1, heads * size]) }
        }
    }

    private var weightShape: Shape? {
        switch self {
        case .product(_, let columns, let depth): [columns, depth]
        case .convolution(_, _, let channels, let outputs): [outputs, channels, 3, 3]
        case .attention: nil
        }
    }

    /// Results of as many operations, which do not depend on each other; a small part of each, so that not much is taken
    /// from the device.
    func results(_ inputs: [Tensor], _ builder: GraphBuilder) -> [Tensor] {
        (0..<Self.inARow).map { index in
            switch self {
            case .product(let rows, let columns, let depth):
                let weights = builder.weights.tensor("w", [columns, depth])
                // Products of one value would be computed as one.
                let x = slice(inputs[0], axis: 0, index..<index + rows)
                return slice(matrixMultiply(x, weights, transposesRight: true), axis: 0, 0..<1)
            case .convolution(_, _, let channels, let outputs):
                let kernel = builder.weights.tensor("w", [outputs, channels, 3, 3])
                return slice(
                    TensorGraph.convolution(inputs[0], kernel: kernel, Convolution(padding: .init(1))),
                    axis: 2, 0..<1)
            case .attention(let pictures, let heads, let queries, let keys, let size):
                // As networks have them: heads side by side in a row.
                let parts = zip(inputs, [queries, keys, keys]).map { input, length in
                    transpose(reshape(input, [pictures, length, heads, size]), [0, 2, 1, 3])
                }
                return slice(
                    scaledDotProductAttention(queries: parts[0], keys: parts[1], values: parts[2]), axis: 2,
                    0..<1)
            }
        }
    }

    /// Writes random weights in 16 bits, as a checkpoint in the format safetensors.
    func writeWeights(to file: URL) throws {
        let shape = weightShape ?? [1]
        let count = shape.count
        let sizes = shape.dimensions.map(String.init).joined(separator: ",")
        var header = #"{"\#(weightShape == nil ? "none" : "w")":{"dtype":"F16","shape":[\#(sizes)],"#
        header += #""data_offsets":[0,\#(2 * count)]}}"#
        header += String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
        var data = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
        data += Data(header.utf8)
        // Signs and fractions are random; the sizes are from 1/64 to 1/16.
        var random = SystemRandomNumberGenerator()
        var bits = [UInt16](repeating: 0, count: count)
        for index in bits.indices {
            bits[index] = UInt16.random(in: 0...UInt16.max, using: &random) & 0x87FF | 0x2400
        }
        data += bits.withUnsafeBytes { Data($0) }
        try data.write(to: file)
    }
}

/// Numbers from -1 to 1.
func noise(_ count: Int) -> [Float] {
    var state: UInt32 = 1
    return (0..<count).map { _ in
        state = state &* 1_664_525 &+ 1_013_904_223
        return Float(Int32(bitPattern: state)) / Float(Int32.max)
    }
}
