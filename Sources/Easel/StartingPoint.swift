import EngineInterface
import Foundation
import Imaging
import Sampling
import TensorGraph

/// What the denoising loop starts from.
struct StartingPoint: Sendable {
    /// With the first step's noise: [batch, channels, height, width].
    let latents: Latents
    /// What of a picture stays, with an ordinary U-Net.
    var kept: KeptRegion?
    /// What the U-Net sees beside the latents, in all passes or in each: for inpainting the mask and the latents of what
    /// stays, [batch, 1 + channels, height, width].
    var seen: [Latents] = []
}

extension Model {
    /// Noise, or a picture's latents with noise.
    ///
    /// Noise is drawn in the order that diffusers' pipelines draw it.
    func startingPoint(
        _ plan: GenerationPlan, _ sampler: any Sampler, _ noise: inout PictureNoise, _ memory: MemoryPlan,
        _ watch: inout Stopwatch
    ) async throws -> StartingPoint {
        if let latents = plan.request.initLatents, parts.sight == nil {
            let original = try latents.enlarged(height: plan.latentHeight, width: plan.latentWidth)
            let drawn = try noise.initialLatents(
                channels: original.channels, height: original.height, width: original.width)
            return StartingPoint(latents: sampler.noised(original, with: drawn))
        }
        guard plan.canvas != nil || parts.isForInpainting else {
            let drawn = try noise.initialLatents(
                channels: parts.autoencoder.latentChannels, height: plan.latentHeight, width: plan.latentWidth
            )
            return StartingPoint(latents: sampler.initialNoiseScale * drawn)
        }
        let encoder = try await watch.time(.loadingEncoder) {
            try await networks.preparedEncoder(
                height: plan.height, width: plan.width, wrapped: plan.wrapped, memory)
        }
        var drawing = noise
        defer { noise = drawing }
        return try await watch.time(.encodingPicture) {
            guard let canvas = plan.canvas else { return try await blank(plan, sampler, &drawing, encoder) }
            if parts.sight == .picture {
                return try await edited(canvas, plan, sampler, &drawing, encoder)
            }
            return try await start(from: canvas, plan, sampler, &drawing, encoder)
        }
    }

    /// Noise, for a U-Net for inpainting: all is made anew, and what stays is grey, as diffusers masks it.
    private func blank(
        _ plan: GenerationPlan, _ sampler: any Sampler, _ noise: inout PictureNoise,
        _ encoder: any CompiledGraph
    ) async throws -> StartingPoint {
        let drawn = try noise.initialLatents(
            channels: parts.autoencoder.latentChannels, height: plan.latentHeight, width: plan.latentWidth)
        let grey = [Float](repeating: 0, count: 3 * plan.width * plan.height)
        let latents = try await encode(grey, plan, encoder, &noise)
        return StartingPoint(
            latents: sampler.initialNoiseScale * drawn,
            seen: [try latents.beneath(plane: Array(repeating: 1, count: latents.height * latents.width))])
    }

    /// A picture's latents with noise.
    private func start(
        from canvas: Canvas, _ plan: GenerationPlan, _ sampler: any Sampler, _ noise: inout PictureNoise,
        _ encoder: any CompiledGraph
    ) async throws -> StartingPoint {
        let shape = (parts.autoencoder.latentChannels, plan.latentHeight, plan.latentWidth)
        let isForInpainting = parts.isForInpainting
        let isFromNoise = canvas.mask != nil && plan.request.strength == 1
        // The order of draws: the picture, the noise, the masked picture.
        let own =
            isForInpainting && isFromNoise
            ? nil : try await encode(canvas.picture.encodable, plan, encoder, &noise)
        let drawn = try noise.initialLatents(channels: shape.0, height: shape.1, width: shape.2)
        let cells = canvas.mask.map { plan.cells(of: $0) }
        var original = own ?? drawn
        if let cells, plan.request.inpainting?.fill == .noise {
            original = original.mixed(with: drawn, by: cells)
        }
        var start = StartingPoint(
            latents: isFromNoise ? sampler.initialNoiseScale * drawn : sampler.noised(original, with: drawn))
        if isForInpainting {
            let latents = try await encode(canvas.masked, plan, encoder, &noise)
            start.seen = [try latents.beneath(plane: cells ?? Array(repeating: 1, count: shape.1 * shape.2))]
        } else if let cells {
            // diffusers encodes the masked picture for either kind of U-Net; its draw comes before the steps'.
            if plan.request.profile.drawsEncodings, parts.autoencoder.drawsLatents {
                _ = try noise.latents(channels: shape.0, height: shape.1, width: shape.2)
            }
            start.kept = KeptRegion(original: original, noise: drawn, mask: cells)
        }
        if let map = plan.request.depthMap, parts.sight == .depth {
            start.seen = [try plan.depth(of: map, pictures: noise.count)]
        }
        return start
    }

    /// Noise, for a U-Net that edits a picture: it sees the picture's latents in all passes but the first.
    private func edited(
        _ canvas: Canvas, _ plan: GenerationPlan, _ sampler: any Sampler, _ noise: inout PictureNoise,
        _ encoder: any CompiledGraph
    ) async throws -> StartingPoint {
        let moments = try await moments(of: canvas.picture.encodable, plan, encoder)
        let means = parts.autoencoder.drawsLatents ? Array(moments.prefix(moments.count / 2)) : moments
        func latents(_ values: [Float]) throws -> Latents {
            try Latents(
                Array(repeating: values, count: noise.count).flatMap { $0 }, batch: noise.count,
                channels: parts.autoencoder.latentChannels, height: plan.latentHeight, width: plan.latentWidth
            )
        }
        let drawn = try noise.initialLatents(
            channels: parts.autoencoder.latentChannels, height: plan.latentHeight, width: plan.latentWidth)
        let picture = try latents(means)
        let nothing = try latents(Array(repeating: 0, count: means.count))
        let passes = plan.seesByPass ? plan.prompts.count : 1
        return StartingPoint(
            latents: sampler.initialNoiseScale * drawn,
            seen: (0..<passes).map { $0 == 0 && plan.seesByPass ? nothing : picture })
    }

    /// What the encoder makes of a picture `[3, height, width]` in −1…1: latents' means, and as many logarithms of their
    /// variances.
    private func moments(of picture: [Float], _ plan: GenerationPlan, _ encoder: any CompiledGraph)
        async throws
        -> [Float]
    {
        let moments = try await encoder.run([
            "pictures": HostTensor(picture, shape: [1, 3, plan.height, plan.width])
        ]).output("moments").floats
        guard moments.allSatisfy(\.isFinite) else {
            throw GenerationError.notFinite(network: "VAE encoder", model: name, precision: precision)
        }
        return moments
    }

    /// A picture `[3, height, width]` in −1…1 to latents, one draw of them for each picture of the batch
    /// (Kingma and Welling, 2014, equation 9).
    private func encode(
        _ picture: [Float], _ plan: GenerationPlan, _ encoder: any CompiledGraph, _ noise: inout PictureNoise
    ) async throws -> Latents {
        let configuration = parts.autoencoder
        let moments = try await moments(of: picture, plan, encoder)
        let channels = configuration.latentChannels
        // Programs that draw it otherwise are followed to the mean, which the draw is close around.
        let count = configuration.drawsLatents ? moments.count / 2 : moments.count
        let drawn =
            plan.request.profile.drawsEncodings && configuration.drawsLatents
            ? try noise.latents(channels: channels, height: plan.latentHeight, width: plan.latentWidth)
            : try Latents(
                Array(repeating: 0, count: noise.count * count), batch: noise.count,
                channels: channels, height: plan.latentHeight, width: plan.latentWidth)
        var values = drawn.values
        for index in values.indices {
            let place = index % count
            var latent = moments[place]
            if configuration.drawsLatents {
                latent += exp(0.5 * min(max(moments[count + place], -30), 20)) * values[index]
            }
            values[index] = (latent - configuration.shiftFactor) * configuration.scalingFactor
        }
        return try Latents(
            values, batch: drawn.batch, channels: drawn.channels, height: drawn.height, width: drawn.width)
    }
}

extension Canvas {
    /// The picture without what is made anew, which is grey: `[3, height, width]` in −1…1.
    fileprivate var masked: [Float] {
        let values = picture.encodable
        let plane = picture.width * picture.height
        return values.indices.map { index in
            // Half and more is made anew.
            guard let mask, mask.values[index % plane] <= 127 else { return 0 }
            return values[index]
        }
    }
}

extension GenerationPlan {
    /// The mask in latent cells, 0…1, row by row: a hard mask's value at each cell's first pixel, as diffusers takes
    /// it, a soft one's mean.
    fileprivate func cells(of mask: Mask) -> [Float] {
        let factor = mask.width / latentWidth
        let isHard = mask.isHard
        return (0..<latentHeight * latentWidth).map { cell in
            let (x, y) = (cell % latentWidth * factor, cell / latentWidth * factor)
            if isHard { return mask.values[y * mask.width + x] > 127 ? 1 : 0 }
            var sum = 0
            for row in y..<y + factor {
                for column in x..<x + factor { sum += Int(mask.values[row * mask.width + column]) }
            }
            return Float(sum) / Float(255 * factor * factor)
        }
    }
}

extension Latents {
    /// A plane `[height, width]` on top of each picture's channels: [batch, 1 + channels, height, width].
    fileprivate func beneath(plane: [Float]) throws -> Latents {
        let size = values.count / batch
        let stacked = (0..<batch).flatMap { plane + values[$0 * size..<($0 + 1) * size] }
        return try Latents(stacked, batch: batch, channels: channels + 1, height: height, width: width)
    }

    /// Other latents where a mask `[height, width]` is 1.
    fileprivate func mixed(with other: Latents, by mask: [Float]) -> Latents {
        var place = -1
        return combined(with: other) { own, other in
            place += 1
            let share = mask[place % mask.count]
            return (1 - share) * own + share * other
        }
    }
}
