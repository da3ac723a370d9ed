import Easel
import Imaging

/// A picture, and the latents after each step on the way to it.
struct Trajectory {
    private(set) var latents: [[Float]] = []
    private(set) var image: Image?
    /// Of all steps.
    private(set) var seconds = 0.0

    static let prompts = [
        "a red apple on a yellow background", "a panda on a blue background",
        "a top hat on a green background", "a lemon on a red background", "a fish on a white background",
        "a rose on a black background", "a cat on a pink background", "a key on a grey background",
    ]

    init(
        of model: Model, prompt index: Int, steps: Int, side: Int?, sampler: String?, guidanceScale: Float?
    ) async throws {
        var request = Request(
            prompt: Self.prompts[index], width: side ?? model.width, height: side ?? model.height,
            steps: steps,
            seed: UInt64(index))
        request.sampler = sampler
        if let guidanceScale { request.guidanceScale = guidanceScale }
        for try await event in model.generate(request) {
            switch event {
            case .step(let step): latents.append(step.latents.values)
            case .finished(let picture):
                image = picture.image
                seconds += (picture.timings[.denoising] ?? .zero) / .seconds(1)
            case .stage, .warning: break
            }
        }
    }

    /// Those of the first so many prompts.
    static func all(
        of model: Model, prompts count: Int, steps: Int, side: Int? = nil, sampler: String?,
        guidanceScale: Float? = nil
    ) async throws -> [Trajectory] {
        var all: [Trajectory] = []
        for index in 0..<count {
            all.append(
                try await Trajectory(
                    of: model, prompt: index, steps: steps, side: side, sampler: sampler,
                    guidanceScale: guidanceScale))
        }
        return all
    }
}
