import Foundation

/// Rows of bytes, some values a pixel, that can be made larger and smaller.
struct Raster {
    var width: Int
    var height: Int
    let channels: Int
    /// `channels · width · height` values, row by row.
    var values: [UInt8]

    /// The same at another size, by Lanczos's kernel of 3 lobes, wider where the picture gets smaller, rows before
    /// columns: Pillow's `resize(size, LANCZOS)`, as diffusers uses it, to the bit where Pillow too begins with rows.
    func resized(width newWidth: Int, height newHeight: Int) -> Raster {
        var result = self
        if newWidth != width { result = result.resampledRows(to: newWidth) }
        if newHeight != height { result = result.transposed.resampledRows(to: newHeight).transposed }
        return result
    }

    private func resampledRows(to newWidth: Int) -> Raster {
        let weights = LanczosWeights(from: width, to: newWidth)
        var result = Raster(
            width: newWidth, height: height, channels: channels,
            values: [UInt8](repeating: 0, count: channels * newWidth * height))
        result.values.withUnsafeMutableBufferPointer { target in
            values.withUnsafeBufferPointer { source in
                for row in 0..<height {
                    for x in 0..<newWidth {
                        let (first, coefficients) = weights[x]
                        for channel in 0..<channels {
                            var sum = LanczosWeights.half
                            var place = (row * width + first) * channels + channel
                            for coefficient in coefficients {
                                sum += Int(source[place]) * coefficient
                                place += channels
                            }
                            target[(row * newWidth + x) * channels + channel] = UInt8(
                                min(max(sum >> LanczosWeights.bits, 0), 255))
                        }
                    }
                }
            }
        }
        return result
    }

    private var transposed: Raster {
        var result = Raster(width: height, height: width, channels: channels, values: values)
        result.values.withUnsafeMutableBufferPointer { target in
            for y in 0..<height {
                for x in 0..<width {
                    for channel in 0..<channels {
                        target[(x * height + y) * channels + channel] =
                            values[(y * width + x) * channels + channel]
                    }
                }
            }
        }
        return result
    }

    /// A part; it may reach past the edges, whose pixels are then repeated.
    func cropped(x: Int, y: Int, width newWidth: Int, height newHeight: Int) -> Raster {
        var pixels: [UInt8] = []
        pixels.reserveCapacity(channels * newWidth * newHeight)
        for row in y..<y + newHeight {
            let start = min(max(row, 0), height - 1) * width
            for column in x..<x + newWidth {
                let place = (start + min(max(column, 0), width - 1)) * channels
                pixels += values[place..<place + channels]
            }
        }
        return Raster(width: newWidth, height: newHeight, channels: channels, values: pixels)
    }
}

/// What each new pixel of a row is made of, in whole numbers of 2⁻²².
private struct LanczosWeights {
    static let bits = 22
    static let half = 1 << (bits - 1)
    private static let lobes = 3.0
    private let entries: [(first: Int, coefficients: [Int])]

    subscript(x: Int) -> (first: Int, coefficients: [Int]) { entries[x] }

    init(from count: Int, to newCount: Int) {
        let scale = Double(count) / Double(newCount)
        let stretch = max(scale, 1)
        let reach = Self.lobes * stretch
        entries = (0..<newCount).map { place in
            let center = (Double(place) + 0.5) * scale
            let first = max(Int(center - reach + 0.5), 0)
            let end = min(Int(center + reach + 0.5), count)
            let weights = (first..<end).map { Self.lanczos((Double($0) - center + 0.5) / stretch) }
            let sum = weights.reduce(0, +)
            return (
                first,
                weights.map {
                    let weight = $0 / sum * Double(1 << Self.bits)
                    return Int(weight < 0 ? weight - 0.5 : weight + 0.5)
                }
            )
        }
    }

    private static func lanczos(_ x: Double) -> Double {
        func sinc(_ x: Double) -> Double { x == 0 ? 1 : sin(x * .pi) / (x * .pi) }
        return abs(x) < lobes ? sinc(x) * sinc(x / lobes) : 0
    }
}
