import Checkpoints
import Easel
import Foundation
import Sampling

/// What AUTOMATIC1111's server says of pictures that it made: a text that is JSON.
struct A1111Info {
    let job: Job
    let pictures: [StoredPicture]
    let request: A1111Settings
    /// AUTOMATIC1111's hash of the model; nil where it is not known.
    let modelHash: String?

    var text: String {
        let settings = job.settings
        let (seed, subseed) = (
            settings.seed?.value ?? 0, settings.subseed?.value ?? settings.seed?.value ?? 0
        )
        /// Of all pictures that were asked for, in the order that they are made in: where the job was interrupted, there
        /// are fewer.
        func each(_ value: (Int) -> JSONValue) -> JSONValue { .array((0..<job.count).map(value)) }
        func of(_ index: Int) -> StoredPicture? { pictures.indices.contains(index) ? pictures[index] : nil }
        func number(_ value: UInt64) -> JSONValue { .number(JSONNumber(text: String(value))) }
        // With a variation all pictures have one seed.
        let isVaried = settings.subseedStrength != nil
        func ownSeed(_ index: Int) -> UInt64 { of(index)?.seed ?? seed &+ (isVaried ? 0 : UInt64(index)) }
        var info: JSONObject = [
            "prompt": .string(settings.prompt),
            "all_prompts": each { .string(of($0)?.settings.prompt ?? settings.prompt) },
            "negative_prompt": .string(settings.negativePrompt ?? ""),
            "all_negative_prompts": each {
                .string((of($0)?.settings ?? settings).negativePrompt ?? "")
            },
            "seed": number(seed), "all_seeds": each { number(ownSeed($0)) },
            "subseed": number(subseed),
            "all_subseeds": each { number(subseed &+ (isVaried ? UInt64($0) : 0)) },
            "subseed_strength": .number(JSONNumber(settings.subseedStrength ?? 0)),
            // As they were asked for: with two passes, the first's.
            "width": JSONValue(settings.width ?? pictures.first?.width ?? 512),
            "height": JSONValue(settings.height ?? pictures.first?.height ?? 512),
            "sampler_name": .string(label),
            "cfg_scale": .number(JSONNumber(Double(settings.guidanceScale ?? 7))),
            "steps": JSONValue(settings.steps ?? 50), "batch_size": JSONValue(request.batchSize),
            "restore_faces": false, "face_restoration_model": .null,
            "sd_model_name": .string(pictures.first?.model ?? settings.model ?? ""),
            "sd_model_hash": modelHash.map { .string($0) } ?? .null,
            "sd_vae_name": settings.vae.map { .string($0) } ?? .null, "sd_vae_hash": .null,
            "seed_resize_from_w": -1, "seed_resize_from_h": -1,
        ]
        let strength = settings.strength ?? settings.hires?.strength
        let rest: JSONObject = [
            "denoising_strength": strength.map { .number(JSONNumber($0)) } ?? .null,
            "extra_generation_params": [:], "index_of_first_image": 0,
            "infotexts": .array(pictures.map { .string($0.parameters) }), "styles": JSONValue(request.styles),
            "job_timestamp": .string(Self.timestamp(job.created)),
            "clip_skip": JSONValue(settings.clipSkip ?? 1),
            "is_using_inpainting_conditioning": false, "version": .string("Easel \(easelVersion)"),
        ]
        for member in rest.members { _ = info.append(member.value, for: member.key) }
        return JSONValue.object(info).line
    }

    private var label: String {
        let name = pictures.first?.sampler ?? job.settings.sampler ?? "Euler"
        return (try? SamplerCatalogue.named(name))?.label ?? name
    }

    /// `20260131235959`, UTC.
    static func timestamp(_ date: Date) -> String {
        let digits = Timestamp.text(date).filter(\.isNumber)
        return String(digits.prefix(14))
    }
}
