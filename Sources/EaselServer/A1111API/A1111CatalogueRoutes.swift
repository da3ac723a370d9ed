import Checkpoints
import Easel
import Foundation
import Hummingbird
import Sampling

/// `/sdapi/v1`: what there is to choose from, and the server's settings.
struct A1111CatalogueRoutes: Sendable {
    let queue: JobQueue
    let options: A1111Options
    let styles: @Sendable () -> [PromptStyle]

    private var shelf: ModelShelf { queue.shelf }

    func add(to api: RouterGroup<ServerContext>) {
        api.get("options") { _, _ in
            JSONBody(options.all(model: try await title(of: shelf.entry(named: nil)))).response()
        }
        api.post("options", use: setOptions)
        api.get("samplers") { _, _ in JSONBody(Self.samplers).response() }
        api.get("schedulers") { _, _ in JSONBody(Self.schedulers).response() }
        api.get("sd-models") { _, _ in JSONBody(.array(await models())).response() }
        api.get("sd-vae") { _, _ in JSONBody(.array(await autoencoders())).response() }
        api.get("loras") { _, _ in JSONBody(loras).response() }
        api.get("embeddings") { _, _ in JSONBody(embeddings).response() }
        api.get("upscalers") { _, _ in JSONBody(Self.upscalers).response() }
        api.get("latent-upscale-modes") { _, _ in
            JSONBody(.array(A1111Upscalers.latents.map { ["name": .string($0)] })).response()
        }
        api.get("prompt-styles") { _, _ in JSONBody(promptStyles).response() }
        for name in ["hypernetworks", "face-restorers", "realesrgan-models", "extensions", "script-info"] {
            api.get("\(RouterPath(stringLiteral: name))") { _, _ in JSONBody([]).response() }
        }
        api.get("scripts") { _, _ in JSONBody(["txt2img": [], "img2img": []]).response() }
        api.get("cmd-flags") { _, _ in JSONBody(["api": true, "nowebui": false]).response() }
        api.get("memory") { _, _ in JSONBody(Self.memory).response() }
        for name in ["refresh-checkpoints", "refresh-vae", "refresh-loras", "refresh-embeddings"] {
            api.post("\(RouterPath(stringLiteral: name))") { _, _ in
                await shelf.refresh()
                return JSONBody(.null).response()
            }
        }
        api.post("unload-checkpoint") { _, _ in
            await shelf.close()
            return JSONBody([:]).response()
        }
        api.post("reload-checkpoint") { _, _ in
            _ = try await shelf.model(named: nil)
            return JSONBody([:]).response()
        }
    }

    @Sendable private func setOptions(_ request: Request, _ context: ServerContext) async throws -> Response {
        let fields = try await A1111Fields(of: request, limit: 1 << 20)
        if let title = try fields.text("sd_model_checkpoint") {
            try await shelf.choose(A1111Models.name(ofTitle: title))
        }
        try options.set(fields)
        return JSONBody(.null).response()
    }

    /// The file's name, as A1111 has it, or the model's.
    private func title(of entry: ModelShelf.Entry) -> String {
        let ending = entry.location.pathExtension
        return ["safetensors", "ckpt", "gguf"].contains(ending) ? "\(entry.name).\(ending)" : entry.name
    }

    private func models() async -> [JSONValue] {
        await shelf.entries.map { entry in
            [
                "title": .string(title(of: entry)), "model_name": .string(entry.name), "hash": .null,
                "sha256": .null, "filename": .string(entry.location.lastPathComponent), "config": .null,
            ]
        }
    }

    private func autoencoders() async -> [JSONValue] {
        await shelf.autoencoders.map { entry in
            ["model_name": .string(entry.name), "filename": .string(entry.location.lastPathComponent)]
        }
    }

    private static var samplers: JSONValue {
        .array(
            SamplerCatalogue.all.map { sampler in
                [
                    "name": .string(sampler.label), "aliases": JSONValue([sampler.name] + sampler.aliases),
                    "options": .object(
                        sampler.automaticSchedule.map { ["scheduler": .string($0)] } ?? JSONObject()),
                ]
            })
    }

    private static var schedulers: JSONValue {
        let automatic: JSONValue = [
            "name": "automatic", "label": "Automatic", "aliases": .null, "default_rho": -1.0,
            "need_inner_model": false,
        ]
        return .array(
            [automatic]
                + ScheduleCatalogue.all.map { schedule in
                    [
                        "name": .string(schedule.name), "label": .string(schedule.label),
                        "aliases": schedule.aliases.isEmpty ? .null : JSONValue(schedule.aliases),
                        "default_rho": .number(JSONNumber(schedule.rho ?? -1)), "need_inner_model": false,
                    ]
                })
    }

    private var loras: JSONValue {
        .array(
            shelf.names(of: .lora).map { name in
                let stem = String(name.split(separator: "/").last ?? "")
                return [
                    "name": .string(stem), "alias": .string(stem), "path": .string(name), "metadata": [:],
                ]
            })
    }

    private var embeddings: JSONValue {
        var loaded = JSONObject()
        for name in shelf.names(of: .embedding) {
            let none: JSONValue = [
                "step": .null, "sd_checkpoint": .null, "sd_checkpoint_name": .null, "shape": 0, "vectors": 0,
            ]
            _ = loaded.append(none, for: name)
        }
        return ["loaded": .object(loaded), "skipped": [:]]
    }

    private static var upscalers: JSONValue {
        .array(
            A1111Upscalers.pictures.map {
                [
                    "name": .string($0), "model_name": .null, "model_path": .null, "model_url": .null,
                    "scale": 4,
                ]
            })
    }

    private var promptStyles: JSONValue {
        .array(
            styles().map {
                [
                    "name": .string($0.name), "prompt": .string($0.prompt),
                    "negative_prompt": .string($0.negativePrompt),
                ]
            })
    }

    private static var memory: JSONValue {
        let total = Int(clamping: ProcessInfo.processInfo.physicalMemory)
        let used = ProcessMemory.resident ?? 0
        return [
            "ram": [
                "free": JSONValue(max(total - used, 0)), "used": JSONValue(used), "total": JSONValue(total),
            ],
            "cuda": ["error": "the processor is used"],
        ]
    }
}
