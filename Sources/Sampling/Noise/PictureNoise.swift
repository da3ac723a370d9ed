/// The noise of a request's pictures: picture i has a generator of its own, seeded `seed + i`.
///
/// So a picture is the same alone or in a batch, also where a sampler draws noise at every step.
public struct PictureNoise: Sendable {
    private var generators: [NoiseGenerator]

    /// - Parameters:
    ///   - seed: The first picture's; after the largest seed comes 0.
    ///   - count: How many pictures.
    public init(seed: UInt64, count: Int) {
        generators = (0..<max(count, 0)).map { NoiseGenerator(seed: seed &+ UInt64($0)) }
    }

    /// How many pictures there are.
    public var count: Int { generators.count }

    /// The next noise of every picture, of the shape of the pictures' latents.
    mutating func latents(like latents: Latents) throws -> Latents {
        try self.latents(channels: latents.channels, height: latents.height, width: latents.width)
    }

    /// The noise of a step from a noise level to another.
    mutating func latents(like latents: Latents, from sigma: Double, to next: Double) throws -> Latents {
        try self.latents(like: latents)
    }

    /// The next noise of every picture: [count, channels, height, width], standard normal.
    ///
    /// - Throws: ``SamplingError/latentsShape(batch:channels:height:width:count:)``.
    public mutating func latents(channels: Int, height: Int, width: Int) throws -> Latents {
        let size =
            try Latents.elementCount(
                batch: generators.count, channels: channels, height: height, width: width) / generators.count
        var values: [Float] = []
        values.reserveCapacity(size * generators.count)
        for index in generators.indices { values += generators[index].normal(count: size) }
        return try Latents(
            values, batch: generators.count, channels: channels, height: height, width: width)
    }
}
