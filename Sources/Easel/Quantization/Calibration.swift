import Checkpoints
import Imaging
import Sampling

extension Model {
    /// Makes ready what int8 needs beside the weights: between which numbers the U-Net's and the decoder's
    /// activations lie. That is known
    /// for a model that was calibrated before, or whose file has it; else it is measured now, in a few short runs.
    func prepareQuantization(_ watch: inout Stopwatch, _ tell: (GenerationEvent) -> Void = { _ in })
        async throws
    {
        guard precision == .int8 else { return }
        try await networks.inspectWeights()
        await tellWarnings(tell)
        guard await networks.needsRanges else { return }
        let ranges = try await watch.time(.calibrating) { try await activationRanges() }
        await networks.setRanges(ranges)
    }

    /// Between which numbers the activations of those layers lie that int8 is for: as they were measured before for these
    /// weights, or else measured now, which takes a minute or more for a model of full size, and kept.
    ///
    /// - Throws: What ``generate(_:)`` throws.
    public func activationRanges() async throws -> ActivationRanges {
        let key = try ActivationRangeCache.key([parts.unetWeights, parts.autoencoderWeights])
        if let known = rangeCache.ranges(for: key) { return known }
        let measured = try await measuredActivationRanges()
        rangeCache.keep(measured, for: key)
        return measured
    }

    /// What the U-Net's and the decoder's layers are given while pictures of several prompts are made, at the model's own size, with
    /// guidance, from noise to the end: all that the steps of later requests will be like.
    ///
    /// - Throws: What ``generate(_:)`` throws.
    func measuredActivationRanges() async throws -> ActivationRanges {
        var ranges = ActivationRanges()
        for (index, prompt) in Self.calibrationPrompts.enumerated() {
            try Task.checkCancellation()
            let plan = try GenerationPlan(calibrationRequest(prompt, seed: UInt64(index)), for: self)
            var watch = Stopwatch { _ in }
            let (memory, _) = try await networks.planMemory(
                plan.unet(batch: 1), encodes: plan.encodesPicture)
            let contexts = try await encodedPrompts([plan], memory, &watch, unetBatch: nil) { _ in }
            await networks.letGo(after: .encodingPrompts, memory)
            let sampler = try plan.makeSampler()
            var noise = plan.noise(for: plan.batches[0])
            let start = try await startingPoint(plan, sampler, &noise, memory, &watch)
            await networks.letGo(after: .encodingPicture, memory)
            let latents = try await observed(
                start, plan, contexts, sampler, noise, memory, &watch, adding: &ranges)
            let seen = try await networks.observedDecoder(latents, memory)
            for (layer, range) in seen.ranges { ranges.add(range, of: layer) }
        }
        return ranges
    }

    /// The latents after all steps of an observed U-Net, which is let go then.
    private func observed(
        _ start: StartingPoint, _ plan: GenerationPlan, _ contexts: [PromptContexts], _ sampler: any Sampler,
        _ noise: PictureNoise, _ memory: MemoryPlan, _ watch: inout Stopwatch,
        adding ranges: inout ActivationRanges
    ) async throws -> Latents {
        let observer = try await networks.observedUNet(plan.unet(batch: 1), memory)
        let batch = PictureBatch(PlannedRequest(plan: plan, tell: { _ in }), plan.batches[0])
        let made = try await denoised(
            start, batch, contexts, sampler, noise, memory, &watch, unet: observer
        ) { _ in }
        for (layer, range) in observer.ranges.ranges { ranges.add(range, of: layer) }
        return made[0].latents
    }

    private static let calibrationPrompts = [
        "a photo of a red apple on a wooden table, soft light",
        "a drawing of a town by the sea at night, many colours",
    ]

    private func calibrationRequest(_ prompt: String, seed: UInt64) -> Request {
        var request = Request(prompt: prompt, steps: 8, seed: seed)
        guard let sight = parts.sight else { return request }
        // Something to see: a picture whose colours change from edge to edge.
        var pixels: [UInt8] = []
        pixels.reserveCapacity(3 * width * height)
        for row in 0..<height {
            for column in 0..<width {
                pixels.append(UInt8(column * 255 / width))
                pixels.append(UInt8(row * 255 / height))
                pixels.append(UInt8((column + row) % 256))
            }
        }
        let picture = Image(width: width, height: height, pixels: pixels)
        (request.initImage, request.strength) = (picture, 1)
        switch sight {
        case .maskedPicture:
            let values: [UInt8] = (0..<width * height).map { $0 % width < width / 2 ? 0 : 255 }
            request.inpainting = Inpainting(mask: Mask(width: width, height: height, values: values))
        case .picture: break
        case .depth: request.depthMap = picture
        }
        return request
    }
}
