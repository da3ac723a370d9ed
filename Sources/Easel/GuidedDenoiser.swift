import EngineInterface
import Sampling
import Synchronization
import TensorGraph

/// The U-Net led by a prompt, away from a negative prompt: what the denoising loop asks.
final class GuidedDenoiser: Sendable {
    private let unet: any CompiledGraph
    /// The same with deep features kept, where that is asked for.
    private let cached: DeepCachedUNet?
    /// Nil where the prompt alone leads.
    private let guidance: ClassifierFreeGuidance?
    /// How strongly each part of the prompt leads.
    private let weights: [Float]
    /// What the U-Net sees beside the latents: the same in each pass, or something else in each; nothing for most.
    private let seen: [Latents]
    /// How strongly the picture leads that is seen in all passes but the first; nil where none does.
    private let pictureScale: Float?
    private let contexts: BatchContexts
    private let stepCount: Int
    /// Whether the U-Net was compiled for one pass, so that some steps can leave out the negative prompt's.
    private let runsPassesAlone: Bool
    /// How strongly the prompt leads away from the last pass, with perturbed attention; 0 where there is none.
    private let perturbedScale: Float
    private let freeU: FreeU?
    /// The guidance scale that the U-Net itself is told.
    private let guidanceToTell: Float?
    private let lead = Mutex(Lead())

    /// What led the U-Net when it was asked last, and how often it was asked.
    private struct Lead {
        var calls = 0
        var stages: [[Int]] = []
        var inputs: [String: HostTensor] = [:]
    }

    /// - Parameters:
    ///   - unet: Compiled for as many pictures and passes as the contexts are of; for one pass where guidance is not the
    ///     same in every step.
    ///   - weights: One for each part of the prompt.
    ///   - perturbedScale: Above 0 where the last context is for perturbed attention.
    init(
        unet: any CompiledGraph, cached: DeepCachedUNet? = nil, guidance: ClassifierFreeGuidance?,
        weights: [Float], contexts: BatchContexts, stepCount: Int, seen: [Latents] = [],
        pictureScale: Float? = nil, runsPassesAlone: Bool = false,
        perturbedScale: Float = 0, freeU: FreeU? = nil, guidanceToTell: Float? = nil
    ) {
        self.guidanceToTell = guidanceToTell
        self.stepCount = stepCount
        self.runsPassesAlone = runsPassesAlone
        self.perturbedScale = perturbedScale
        self.freeU = freeU
        self.unet = unet
        self.cached = cached
        self.guidance = guidance
        self.weights = weights
        self.contexts = contexts
        self.seen = seen
        self.pictureScale = pictureScale
    }

    /// The guided prediction for latents `[pictures, channels, height, width]` at a timestep.
    func callAsFunction(_ latents: Latents, timestep: Float, step: Int) async throws -> Latents {
        let context = context(at: step)
        guard let guidance else {
            let prediction = try await predict(latents, timestep, context, step: step)
            guard perturbedScale > 0 else { return prediction }
            let (own, perturbed) = (
                prediction.pictures(0..<latents.batch), prediction.pictures(latents.batch..<2 * latents.batch)
            )
            return own + perturbedScale * (own - perturbed)
        }
        let scale = guidance.scale(at: step, of: stepCount)
        if runsPassesAlone {
            let parts = (0...weights.count).map { part in
                context.mapValues { $0.part(part, of: weights.count + 1) }
            }
            if scale == 1, weights == [1] {
                return try await predict(latents, timestep, parts[1], step: step, pass: 1)
            }
            var passes: [Latents] = []
            for (pass, part) in parts.enumerated() {
                passes.append(try await predict(latents, timestep, part, step: step, pass: pass))
            }
            return try guidance.combine(
                unconditional: passes[0], conditionals: Array(zip(passes.dropFirst(), weights)), scale: scale)
        }
        let prediction = try await predict(latents, timestep, context, step: step)
        let passes = (0..<prediction.batch / latents.batch).map {
            prediction.pictures($0 * latents.batch..<($0 + 1) * latents.batch)
        }
        // With a picture's lead, the first pass sees no picture and the second one no prompt.
        let unled = pictureScale == nil ? 0 : 1
        var leads: [Latents] = []
        if perturbedScale > 0 {
            leads.append(perturbedScale * (passes[unled + 1] - passes[passes.count - 1]))
        }
        if let pictureScale { leads.append((pictureScale - 1) * (passes[1] - passes[0])) }
        return try guidance.combine(
            unconditional: passes[unled], conditionals: Array(zip(passes[(unled + 1)...], weights)),
            scale: scale, also: leads.isEmpty ? nil : leads.dropFirst().reduce(leads[0], +))
    }

    /// The U-Net's output for each picture in each context.
    private func predict(
        _ latents: Latents, _ timestep: Float, _ context: [String: HostTensor], step: Int, pass: Int = 0
    ) async throws -> Latents {
        var inputs = context
        inputs["latents"] =
            seen.isEmpty
            ? HostTensor(latents.values, shape: Shape(latents.shape)) : latents.stacked(on: seen)
        inputs["timestep"] = HostTensor([timestep], shape: [1])
        if let guidanceToTell { inputs["guidance"] = HostTensor([guidanceToTell - 1], shape: [1]) }
        if let freeU { inputs["freeu"] = HostTensor(freeU.scales, shape: [4]) }
        let prediction =
            if let cached {
                try await cached.prediction(inputs, timestep: timestep, step: step, pass: pass)
            } else {
                try await unet.run(inputs).output("prediction")
            }
        return try Latents(
            prediction.floats, batch: prediction.shape[0], channels: latents.channels,
            height: latents.height, width: latents.width)
    }

    private func context(at step: Int) -> [String: HostTensor] {
        lead.withLock { lead in
            let stages = contexts.stages(at: step, call: lead.calls)
            lead.calls += 1
            if stages != lead.stages {
                lead.stages = stages
                lead.inputs = contexts.inputs(of: stages)
            }
            return lead.inputs
        }
    }
}

extension Latents {
    /// Each picture's channels, followed by another's, and all of that again with each of several others:
    /// `[others · batch, both's channels, height, width]`.
    fileprivate func stacked(on others: [Latents]) -> HostTensor {
        let size = values.count / batch
        var all: [Float] = []
        for other in others {
            let otherSize = other.values.count / batch
            for index in 0..<batch {
                all += values[index * size..<(index + 1) * size]
                all += other.values[index * otherSize..<(index + 1) * otherSize]
            }
        }
        let both = channels + (others.first?.channels ?? 0)
        return HostTensor(all, shape: [others.count * batch, both, height, width])
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
