/// The noise of a request's pictures: picture i has a generator of its own, seeded `seed + i`.
///
/// So a picture is the same alone or in a batch, also where a sampler draws noise at every step.
public struct PictureNoise: Sendable {
    private var generators: [any NormalGenerator]
    private let seeds: [UInt64]
    private let source: RandomSource
    private let stepNoise: StepNoise
    private let stepSource: RandomSource?
    /// One a picture, where a sampler asked for noise of a path.
    private var trees: [BrownianTree] = []
    private let subseeds: [UInt64]
    private let strength: Double
    private let size: NoiseSize?

    /// - Parameters:
    ///   - seed: The first picture's; after the largest seed comes 0.
    ///   - count: How many pictures.
    ///   - first: The first picture's index in its request, which the seed is counted from.
    ///   - variation: Other noise for the first draw of ``initialLatents(channels:height:width:)``.
    ///   - size: Another size that this draw is made for.
    ///   - stepNoise: Where the steps' noise comes from.
    ///   - stepSource: What draws the steps' noise, seeded anew; nil goes on with what drew the first. Paths are drawn
    ///     with `source` in either case.
    public init(
        seed: UInt64, count: Int, source: RandomSource = .torchCPU, first: Int = 0,
        variation: NoiseVariation? = nil, size: NoiseSize? = nil, stepNoise: StepNoise = .sequential,
        stepSource: RandomSource? = nil
    ) {
        let strength = variation?.strength ?? 0
        seeds = (first..<first + max(count, 0)).map { strength == 0 ? seed &+ UInt64($0) : seed }
        generators = seeds.map { source.generator(seed: $0) }
        self.source = source
        self.stepNoise = stepNoise
        self.stepSource = stepSource
        self.strength = strength
        self.size = size
        subseeds = seeds.indices.map { (variation?.subseed ?? 0) &+ UInt64(first + $0) }
    }

    /// The noise of several requests' pictures, one after the other.
    ///
    /// - Precondition: There is one at least, and all are drawn in the same way: they differ in their seeds and subseeds
    ///   alone.
    public init(joining parts: [PictureNoise]) {
        let first = parts[0]
        precondition(
            parts.allSatisfy {
                $0.source == first.source && $0.stepNoise == first.stepNoise
                    && $0.stepSource == first.stepSource && $0.strength == first.strength
                    && $0.size == first.size && $0.trees.isEmpty
            }, "The parts' noise is drawn in different ways")
        (source, stepNoise, stepSource) = (first.source, first.stepNoise, first.stepSource)
        (strength, size) = (first.strength, first.size)
        seeds = parts.flatMap(\.seeds)
        subseeds = parts.flatMap(\.subseeds)
        generators = parts.flatMap(\.generators)
    }

    /// How many pictures there are.
    public var count: Int { generators.count }

    /// The noise that pictures begin with: the next of every picture, with the variation and the size asked for.
    ///
    /// - Throws: ``SamplingError/latentsShape(batch:channels:height:width:count:)``.
    public mutating func initialLatents(channels: Int, height: Int, width: Int) throws -> Latents {
        let ownSize = size ?? NoiseSize(height: height, width: width)
        let own = try latents(channels: channels, height: ownSize.height, width: ownSize.width)
        if let stepSource { generators = seeds.map { stepSource.generator(seed: $0) } }
        guard strength > 0 || ownSize != NoiseSize(height: height, width: width) else { return own }
        var values: [Float] = []
        let length = channels * height * width
        for picture in 0..<count {
            var other = source.generator(seed: subseeds[picture])
            var mixed = own.picture(picture).values
            if strength > 0 {
                let variation = NoiseVariation(subseed: subseeds[picture], strength: strength)
                mixed = variation.mixed(
                    mixed, with: other.normal(count: mixed.count), height: ownSize.height,
                    width: ownSize.width)
            }
            if let size {
                // What lies outside is the seed's own noise of the whole size.
                var around = source.generator(seed: seeds[picture])
                mixed = size.placed(
                    mixed, over: around.normal(count: length), channels: channels, height: height,
                    width: width)
            }
            values += mixed
        }
        return try Latents(values, batch: count, channels: channels, height: height, width: width)
    }

    /// The next noise of every picture, of the shape of the pictures' latents.
    mutating func latents(like latents: Latents) throws -> Latents {
        try self.latents(channels: latents.channels, height: latents.height, width: latents.width)
    }

    /// The noise of a step from a noise level to another, of a sampler over the stochastic equation.
    mutating func latents(like latents: Latents, over interval: NoiseInterval, to next: Double) throws
        -> Latents
    {
        guard stepNoise == .brownianTree else { return try self.latents(like: latents) }
        if trees.isEmpty {
            trees = seeds.map { BrownianTree(seed: $0, over: interval.range, source: source) }
        }
        let count = latents.values.count / max(latents.batch, 1)
        let values = trees.flatMap { $0.noise(count: count, from: interval.sigma, to: next) }
        return try Latents(
            values, batch: self.count, channels: latents.channels, height: latents.height,
            width: latents.width)
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

/// Where the noise that a sampler adds at its steps comes from.
public enum StepNoise: String, Sendable, Hashable, CaseIterable {
    /// From the generators that made the first noise, one draw after the other: diffusers'.
    case sequential
    /// For the samplers over the stochastic equation, from a Brownian path over the noise levels, which is the same for
    /// every number of steps: k-diffusion's, and so AUTOMATIC1111's and ComfyUI's.
    case brownianTree = "brownian-tree"
}
