import EngineInterface
import Sampling
import Synchronization
import TensorGraph

/// The U-Net led by a prompt, away from a negative prompt: what the denoising loop asks.
final class GuidedDenoiser: Sendable {
    private let unet: any CompiledGraph
    /// Nil where the prompt alone leads.
    private let guidance: ClassifierFreeGuidance?
    /// How strongly each part of the prompt leads.
    private let weights: [Float]
    /// What a U-Net for inpainting sees beside the latents; nil for others.
    private let seen: Latents?
    private let contexts: PromptContexts
    private let pictures: Int
    private let stepCount: Int
    /// Whether the U-Net was compiled for one pass, so that some steps can leave out the negative prompt's.
    private let runsPassesAlone: Bool
    /// How strongly the prompt leads away from the last pass, with perturbed attention; 0 where there is none.
    private let perturbedScale: Float
    private let freeU: FreeU?
    /// The context of the step that was asked last.
    private let last: Mutex<(step: Int, context: HostTensor)?> = Mutex(nil)

    /// - Parameters:
    ///   - unet: Compiled for that many pictures, in as many passes as there are contexts; in one where guidance is not
    ///     the same in every step.
    ///   - weights: One for each part of the prompt.
    ///   - perturbedScale: Above 0 where the last context is for perturbed attention.
    init(
        unet: any CompiledGraph, guidance: ClassifierFreeGuidance?, weights: [Float],
        contexts: PromptContexts,
        pictures: Int, stepCount: Int, seen: Latents? = nil, runsPassesAlone: Bool = false,
        perturbedScale: Float = 0, freeU: FreeU? = nil
    ) {
        self.stepCount = stepCount
        self.runsPassesAlone = runsPassesAlone
        self.perturbedScale = perturbedScale
        self.freeU = freeU
        self.unet = unet
        self.guidance = guidance
        self.weights = weights
        self.contexts = contexts
        self.pictures = pictures
        self.seen = seen
    }

    /// The guided prediction for latents `[pictures, channels, height, width]` at a timestep.
    func callAsFunction(_ latents: Latents, timestep: Float, step: Int) async throws -> Latents {
        let context = context(at: step)
        guard let guidance else {
            let prediction = try await predict(latents, timestep, context)
            guard perturbedScale > 0 else { return prediction }
            let (own, perturbed) = (
                prediction.pictures(0..<latents.batch), prediction.pictures(latents.batch..<2 * latents.batch)
            )
            return own + perturbedScale * (own - perturbed)
        }
        let scale = guidance.scale(at: step, of: stepCount)
        if runsPassesAlone {
            let parts = (0...weights.count).map { context.part($0, of: weights.count + 1) }
            if scale == 1, weights == [1] { return try await predict(latents, timestep, parts[1]) }
            var passes: [Latents] = []
            for part in parts { passes.append(try await predict(latents, timestep, part)) }
            return try guidance.combine(
                unconditional: passes[0], conditionals: Array(zip(passes.dropFirst(), weights)), scale: scale)
        }
        let prediction = try await predict(latents, timestep, context)
        let passes = (0..<prediction.batch / latents.batch).map {
            prediction.pictures($0 * latents.batch..<($0 + 1) * latents.batch)
        }
        let lead = perturbedScale > 0 ? perturbedScale * (passes[1] - passes[passes.count - 1]) : nil
        return try guidance.combine(
            unconditional: passes[0], conditionals: Array(zip(passes.dropFirst(), weights)), scale: scale,
            also: lead)
    }

    /// The U-Net's output for each picture in each context.
    private func predict(_ latents: Latents, _ timestep: Float, _ context: HostTensor) async throws -> Latents
    {
        let input =
            seen.map { latents.stacked(on: $0) } ?? HostTensor(latents.values, shape: Shape(latents.shape))
        var inputs = [
            "latents": input, "timestep": HostTensor([timestep], shape: [1]), "context": context,
        ]
        if let freeU { inputs["freeu"] = HostTensor(freeU.scales, shape: [4]) }
        let outputs = try await unet.run(inputs)
        return try Latents(
            outputs.output("prediction").floats, batch: context.shape[0], channels: latents.channels,
            height: latents.height, width: latents.width)
    }

    private func context(at step: Int) -> HostTensor {
        last.withLock { last in
            if let known = last, known.step == step || known.step + 1 == step && !contexts.changes(at: step) {
                last = (step, known.context)
                return known.context
            }
            let made = contexts.context(at: step, pictures: pictures)
            last = (step, made)
            return made
        }
    }
}

extension Latents {
    /// Each picture's channels, followed by another's: `[batch, both's channels, height, width]`.
    fileprivate func stacked(on other: Latents) -> HostTensor {
        let (size, otherSize) = (values.count / batch, other.values.count / batch)
        var both: [Float] = []
        for index in 0..<batch {
            both += values[index * size..<(index + 1) * size]
            both += other.values[index * otherSize..<(index + 1) * otherSize]
        }
        return HostTensor(both, shape: [batch, channels + other.channels, height, width])
    }
}

extension HostTensor {
    /// One of so many equal parts along the first axis.
    fileprivate func part(_ index: Int, of count: Int) -> HostTensor {
        let size = floats.count / count
        var extents = shape.dimensions
        extents[0] /= count
        return HostTensor(Array(floats[index * size..<(index + 1) * size]), shape: Shape(extents))
    }
}
