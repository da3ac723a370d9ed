import Foundation
import Imaging
import Sampling

/// A second pass over a larger picture: AUTOMATIC1111's "hires fix". The first is made at the request's size, where the
/// model knows how things look; the second adds what a larger size has room for.
///
/// What has changed in the prompt in the first pass stays so in the second, as in AUTOMATIC1111: `[a cat:a dog:0.5]` is a dog
/// there, and `[a cat:a dog:1.5]` becomes one in its middle.
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

    /// The settings in AUTOMATIC1111's words; the strength is the picture's own there.
    var extras: [GenerationMetadata.Extra] {
        var extras = [GenerationMetadata.Extra("Hires upscale", plain(scale))]
        if let steps { extras.append(.init("Hires steps", "\(steps)")) }
        return extras + [.init("Hires upscaler", upscaler == .latent ? "Latent" : "Lanczos")]
    }

    private func plain(_ value: Double) -> String {
        value == value.rounded() ? "\(Int(value))" : "\(value)"
    }

    /// Reads AUTOMATIC1111's words; nil where they tell of no second pass.
    ///
    /// A network that enlarges pictures there is Lanczos's kernel here.
    init?(_ metadata: GenerationMetadata) {
        func value(_ key: String) -> String? { metadata.extras.first { $0.key == key }?.value }
        guard let scale = value("Hires upscale").flatMap(Double.init) else { return nil }
        self.init(
            scale: scale, strength: metadata.strength ?? 0.7,
            steps: value("Hires steps").flatMap(Int.init).flatMap { $0 > 0 ? $0 : nil },
            upscaler: value("Hires upscaler")?.hasPrefix("Latent") == false ? .image : .latent)
    }
}

/// What a second pass's request keeps of the first.
struct FirstPass: Sendable, Hashable {
    /// What asked for two passes.
    let settings: HighResolution
    /// In pixels.
    let width: Int
    /// In pixels.
    let height: Int
    let steps: Int
    /// The noise levels and the timesteps that were given for it; the second pass has its own where it has steps of its own.
    let sigmas: [Double]?
    let timesteps: [Int]?
    /// How many steps it had, as noise levels or timesteps say where they were given.
    let stepCount: Int
    /// How much was given up of the picture that it started from; nil where there was none.
    let strength: Double?
    let resize: Resizing
    let inpainting: Inpainting?
    let outpainting: Outpainting?
}

extension Model {
    /// Both passes: all pictures small, then each of them large. One whose first pass was stopped early stays small, as
    /// all do where the request was.
    func makeLargePictures(
        _ request: Request, _ large: HighResolution, stop: EarlyStop?,
        tell: @escaping @Sendable (GenerationEvent) -> Void
    ) async throws {
        var small = request
        small.seed = request.seed ?? UInt64(UInt32.random(in: 0...UInt32.max))
        // What is wrong with the second pass is found before the first.
        let (second, plan) = try secondPass(after: small, large)
        small.highResolution = nil
        _ = try await networks.planMemory(plan.unet(batch: 1), encodes: plan.encodesPicture)

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

    /// The second pass over a request's pictures: its request, which still has a picture of one pixel to start from, and
    /// the plan of it.
    ///
    /// - Throws: What is wrong with it.
    func secondPass(after small: Request, _ large: HighResolution) throws -> (Request, GenerationPlan) {
        let first = try GenerationPlan(small, for: self)
        guard small.inpainting?.onlyMaskedPadding == nil else {
            throw RequestError.notPossible(
                field: "a second pass", model: name,
                reason: "only the masked part is worked on here, which goes back into the picture as it was")
        }
        let factor = parts.autoencoder.factor
        func side(_ axis: String, _ pixels: Int) throws -> Int {
            let wanted = Double(pixels) * large.scale
            return try Request.latentSize(
                axis: axis, pixels: Int(min(wanted, 1e6)) / factor * factor, factor: factor) * factor
        }
        var second = small
        second.highResolution = nil
        (second.width, second.height) = (try side("width", first.width), try side("height", first.height))
        (second.count, second.batchSize) = (1, 1)
        if let steps = large.steps { (second.steps, second.sigmas, second.timesteps) = (steps, nil, nil) }
        second.strength = large.strength
        second.resize = .stretch
        second.firstPass = FirstPass(
            settings: large, width: first.width, height: first.height, steps: small.steps,
            sigmas: small.sigmas, timesteps: small.timesteps,
            stepCount: small.stepCount,
            strength: small.initImage == nil ? nil : small.strength, resize: small.resize,
            inpainting: small.inpainting, outpainting: small.outpainting)
        second.inpainting = nil
        second.outpainting = nil
        second.initImage = Image(width: 1, height: 1, pixels: [0, 0, 0])
        return (second, try GenerationPlan(second, for: self))
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
