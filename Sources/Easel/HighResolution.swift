import Foundation
import Imaging
import Sampling

/// A second pass over a larger picture: AUTOMATIC1111's "hires fix". The first is made at the request's size, where the
/// model knows how things look; the second adds what a larger size has room for.
public struct HighResolution: Sendable, Hashable {
    /// What is made larger.
    public enum Upscaler: String, Sendable, Hashable, CaseIterable {
        /// The picture, by Lanczos's kernel.
        case image
        /// The latents, linearly; wants a strength of 0.5 and more.
        case latent
    }

    /// How many times as wide and high, above 1; sides are rounded down to what pictures may have.
    public var scale: Double
    /// How much of the larger picture is given up for noise, from 0 to 1.
    public var strength: Double
    /// The second pass's steps, of which the strength's share is taken; nil for as many as the first's.
    public var steps: Int?
    public var upscaler: Upscaler

    public init(
        scale: Double = 2, strength: Double = 0.7, steps: Int? = nil, upscaler: Upscaler = .latent
    ) {
        self.scale = scale
        self.strength = strength
        self.steps = steps
        self.upscaler = upscaler
    }

    /// The settings in AUTOMATIC1111's words.
    var extras: [GenerationMetadata.Extra] {
        var extras = [GenerationMetadata.Extra("Hires upscale", plain(scale))]
        if let steps { extras.append(.init("Hires steps", "\(steps)")) }
        return extras + [.init("Hires upscaler", upscaler == .latent ? "Latent" : "Lanczos")]
    }

    private func plain(_ value: Double) -> String {
        value == value.rounded() ? "\(Int(value))" : "\(value)"
    }
}

extension Model {
    /// Both passes: all pictures small, then each of them large. One whose first pass was stopped early stays small, as
    /// all do where the request was.
    func makeLargePictures(
        _ request: Request, _ large: HighResolution, stop: EarlyStop?,
        tell: @escaping @Sendable (GenerationEvent) -> Void
    ) async throws {
        let factor = parts.autoencoder.factor
        var small = request
        small.highResolution = nil
        small.seed = request.seed ?? UInt64(UInt32.random(in: 0...UInt32.max))
        let plan = try GenerationPlan(small, for: self)
        func side(_ axis: String, _ pixels: Int) throws -> Int {
            let wanted = Int(Double(pixels) * large.scale) / factor * factor
            return try Request.latentSize(axis: axis, pixels: wanted, factor: factor) * factor
        }
        let (width, height) = (try side("width", plan.width), try side("height", plan.height))
        // What is wrong with the second pass is found before the first.
        var second = small
        (second.width, second.height) = (width, height)
        (second.count, second.batchSize) = (1, 1)
        second.steps = large.steps ?? small.steps
        second.strength = large.strength
        second.resize = .stretch
        second.largeFrom = large
        second.smallSize = SmallPass(width: plan.width, height: plan.height, steps: small.steps)
        second.inpainting = nil
        second.outpainting = nil
        second.initImage = Image(width: 1, height: 1, pixels: [0, 0, 0])
        _ = try GenerationPlan(second, for: self)

        let bases = try await pictures(small, stop, tell: tell)
        let areAllSmall = stop?.requested == .request
        for base in bases {
            if areAllSmall || base.record.stepsTaken != nil {
                tell(.finished(base))
                continue
            }
            if stop?.requested == .request { break }
            var request = second
            request.initImage = base.image
            request.initLatents = large.upscaler == .latent ? base.latents : nil
            request.seed = base.seed
            request.firstPicture = base.index
            if var variation = request.variation {
                variation.subseed &+= UInt64(base.index - small.firstPicture)
                request.variation = variation
            }
            for picture in try await pictures(request, stop, tell: tell) {
                tell(.finished(picture.after(base)))
            }
        }
    }

    /// A request's pictures, with its other events told.
    private func pictures(
        _ request: Request, _ stop: EarlyStop?, tell: @escaping @Sendable (GenerationEvent) -> Void
    ) async throws -> [GeneratedPicture] {
        let (events, continuation) = AsyncStream.makeStream(of: GeneratedPicture.self)
        try await makePictures(request, stop: stop) { event in
            if case .finished(let picture) = event { continuation.yield(picture) } else { tell(event) }
        }
        continuation.finish()
        return await events.reduce(into: []) { $0.append($1) }
    }
}

extension GeneratedPicture {
    /// The same with the first pass's time added.
    fileprivate func after(_ base: GeneratedPicture) -> GeneratedPicture {
        GeneratedPicture(
            index: index, seed: seed, sampler: sampler, image: image, metadata: metadata, record: record,
            latents: latents, memory: memory,
            memoryEstimate: max(memoryEstimate, base.memoryEstimate),
            timings: timings.merging(base.timings, uniquingKeysWith: +))
    }
}

extension Latents {
    /// The latents at another size, linear between cells whose middles are compared: PyTorch's `interpolate` with
    /// `bilinear`.
    func enlarged(height newHeight: Int, width newWidth: Int) throws -> Latents {
        func places(_ count: Int, _ newCount: Int) -> [(low: Int, high: Int, share: Float)] {
            (0..<newCount).map { index in
                let place = max((Float(index) + 0.5) * Float(count) / Float(newCount) - 0.5, 0)
                let low = min(Int(place), count - 1)
                return (low, min(low + 1, count - 1), place - Float(low))
            }
        }
        let (rows, columns) = (places(height, newHeight), places(width, newWidth))
        var result: [Float] = []
        result.reserveCapacity(batch * channels * newHeight * newWidth)
        for plane in 0..<batch * channels {
            func at(_ row: Int, _ column: Int) -> Float { values[(plane * height + row) * width + column] }
            for row in rows {
                for column in columns {
                    let above =
                        at(row.low, column.low) * (1 - column.share) + at(row.low, column.high) * column.share
                    let below =
                        at(row.high, column.low) * (1 - column.share) + at(row.high, column.high)
                        * column.share
                    result.append(above * (1 - row.share) + below * row.share)
                }
            }
        }
        return try Latents(result, batch: batch, channels: channels, height: newHeight, width: newWidth)
    }
}
