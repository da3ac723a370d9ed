/// Pictures in the autoencoder's latent space: float32 values of shape [batch, channels, height, width], row-major.
///
/// Arithmetic is element by element, each operation rounded to float32, as PyTorch's.
public struct Latents: Sendable, Hashable {
    public private(set) var values: [Float]
    /// How many pictures.
    public let batch: Int
    public let channels: Int
    /// In latent cells, as the width.
    public let height: Int
    public let width: Int

    /// - Throws: ``SamplingError/latentsShape(batch:channels:height:width:count:)`` where the shape is not that of
    ///   the values, or has an extent below 1.
    public init(_ values: [Float], batch: Int, channels: Int, height: Int, width: Int) throws {
        let count = try Self.elementCount(batch: batch, channels: channels, height: height, width: width)
        guard count == values.count else {
            throw SamplingError.latentsShape(
                batch: batch, channels: channels, height: height, width: width, count: values.count)
        }
        self.values = values
        self.batch = batch
        self.channels = channels
        self.height = height
        self.width = width
    }

    private init(
        _ values: [Float], like other: Latents, batch: Int? = nil, height: Int? = nil, width: Int? = nil
    ) {
        self.values = values
        self.batch = batch ?? other.batch
        channels = other.channels
        self.height = height ?? other.height
        self.width = width ?? other.width
    }

    static func elementCount(batch: Int, channels: Int, height: Int, width: Int) throws -> Int {
        var count = 1
        for extent in [batch, channels, height, width] {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard extent > 0, !overflow else {
                throw SamplingError.latentsShape(
                    batch: batch, channels: channels, height: height, width: width, count: nil)
            }
            count = product
        }
        return count
    }

    /// The extents: [batch, channels, height, width].
    public var shape: [Int] { [batch, channels, height, width] }

    /// The first value that is infinite or not a number, by its index in ``values``; nil where all are finite.
    public var firstNonFinite: Int? { values.firstIndex { !$0.isFinite } }

    /// One picture, of shape [1, channels, height, width].
    ///
    /// - Parameter index: From 0 to `batch - 1`.
    public func picture(_ index: Int) -> Latents {
        pictures(index..<index + 1)
    }

    /// Some of the pictures, of shape [range.count, channels, height, width].
    ///
    /// - Parameter range: Within 0 to `batch`.
    public func pictures(_ range: Range<Int>) -> Latents {
        precondition(
            !range.isEmpty && range.lowerBound >= 0 && range.upperBound <= batch,
            "There are no pictures \(range) of \(batch)")
        let size = values.count / batch
        return Latents(
            Array(values[range.lowerBound * size..<range.upperBound * size]), like: self, batch: range.count)
    }

    /// The upper left corner of each picture, of shape [batch, channels, height, width].
    ///
    /// - Parameters:
    ///   - height: From 1 to the pictures' own, as the width.
    public func corner(height: Int, width: Int) -> Latents {
        precondition(
            (1...self.height).contains(height) && (1...self.width).contains(width),
            "There is no corner of \(height)×\(width) in \(self.height)×\(self.width)")
        var own: [Float] = []
        own.reserveCapacity(batch * channels * height * width)
        for row in 0..<batch * channels * self.height where row % self.height < height {
            own += values[row * self.width..<row * self.width + width]
        }
        return Latents(own, like: self, batch: batch, height: height, width: width)
    }

    /// Other values of the same shape.
    ///
    /// - Precondition: There are as many.
    func replacing(_ values: [Float]) -> Latents {
        precondition(values.count == self.values.count, "\(values.count) values for \(self.values.count)")
        return Latents(values, like: self)
    }

    /// Each value, changed.
    public func map(_ transform: (Float) -> Float) -> Latents {
        Latents(values.map(transform), like: self)
    }

    /// Both's values of the same place, combined.
    ///
    /// - Precondition: The shapes are equal. The denoising loop checks what a model returns.
    public func combined(with other: Latents, _ combine: (Float, Float) -> Float) -> Latents {
        precondition(shape == other.shape, "Shapes differ: \(shape) and \(other.shape)")
        var result = values
        result.withUnsafeMutableBufferPointer { result in
            other.values.withUnsafeBufferPointer { other in
                for index in result.indices { result[index] = combine(result[index], other[index]) }
            }
        }
        return Latents(result, like: self)
    }

    public static func + (left: Latents, right: Latents) -> Latents { left.combined(with: right, +) }
    public static func - (left: Latents, right: Latents) -> Latents { left.combined(with: right, -) }
    public static func * (left: Float, right: Latents) -> Latents { right.map { left * $0 } }
    public static func * (left: Latents, right: Float) -> Latents { left.map { $0 * right } }
    public static func / (left: Latents, right: Float) -> Latents { left.map { $0 / right } }
}
