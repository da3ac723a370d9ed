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
            let entry = try await shelf.entry(named: nil)
            let hashes = await shelf.hashes(ofModel: entry.name)
            return JSONBody(options.all(model: title(of: entry, hashes), hash: hashes?.sha256)).response()
        }
        api.post("options", use: setOptions)
        api.get("samplers") { _, _ in JSONBody(Self.samplers).response() }
        api.get("schedulers") { _, _ in JSONBody(Self.schedulers).response() }
        api.get("sd-models") { _, _ in JSONBody(.array(await models())).response() }
        api.get("sd-vae") { _, _ in JSONBody(.array(await autoencoders())).response() }
        api.get("loras") { _, _ in JSONBody(.array(await loras())).response() }
        api.get("embeddings") { _, _ in JSONBody(await embeddings()).response() }
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
        let title = try fields.word("sd_model_checkpoint")
        let model = try await shelf.entry(named: title.map(A1111Models.name(ofTitle:))).name
        try await checkChanges(fields, model: model)
        if title != nil { try await shelf.choose(model) }
        try options.set(fields)
        return JSONBody(.null).response()
    }

    /// Refuses what no picture could be made with by any later request. What is as it was is let be: clients send whole
    /// objects back.
    private func checkChanges(_ fields: A1111Fields, model: String) async throws {
        var settings = JobSettings(prompt: "")
        settings.model = model
        if let name = try fields.text("sd_vae"), name != options.text("sd_vae"),
            let vae = A1111Models.autoencoder(named: name)
        {
            settings.vae = vae
            try await check(settings, "sd_vae")
        }
        if let skip = try fields.integer("CLIP_stop_at_last_layers"),
            skip != options.integer("CLIP_stop_at_last_layers")
        {
            guard (1...12).contains(skip) else {
                throw A1111Fields.wrong("CLIP_stop_at_last_layers", "Input should be from 1 to 12")
            }
            (settings.vae, settings.clipSkip) = (nil, skip)
            try await check(settings, "CLIP_stop_at_last_layers")
        }
    }

    private func check(_ settings: JobSettings, _ field: String) async throws {
        do {
            try await queue.check(settings)
        } catch let error as APIError {
            throw A1111Fields.wrong(field, error.message)
        }
    }

    /// The file's name, as A1111 has it, or the model's; and its hash, once it is known.
    private func title(of entry: ModelShelf.Entry, _ hashes: FileHashes?) -> String {
        let ending = entry.location.pathExtension
        let name = ["safetensors", "ckpt", "gguf"].contains(ending) ? "\(entry.name).\(ending)" : entry.name
        return name + (hashes.map { " [\($0.shortHash)]" } ?? "")
    }

    private func models() async -> [JSONValue] {
        await shelf.entries.map { entry in
            let hashes = FileHashes.known(of: entry.location)
            return [
                "title": .string(title(of: entry, hashes)), "model_name": .string(entry.name),
                "hash": hashes.map { .string($0.shortHash) } ?? .null,
                "sha256": hashes.map { .string($0.sha256) } ?? .null,
                "filename": .string(entry.location.lastPathComponent), "config": .null,
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

    private func loras() async -> [JSONValue] {
        var loras: [JSONValue] = []
        for entry in shelf.entries(of: .lora) {
            let stem = String(entry.name.split(separator: "/").last ?? "")
            let notes = await shelf.facts.notes(of: entry.location)
            loras.append([
                "name": .string(stem), "alias": .string(notes["ss_output_name"] ?? stem),
                "path": .string(entry.name), "metadata": .object(Self.metadata(notes)),
            ])
        }
        return loras
    }

    /// A file's notes, those that are JSON as what they say; covers, which are whole pictures, are left out.
    private static func metadata(_ notes: [String: String]) -> JSONObject {
        var metadata = JSONObject()
        for (key, text) in notes.sorted(by: { $0.key < $1.key }) where key != "ssmd_cover_images" {
            let value = text.hasPrefix("{") ? try? JSONValue(parsing: Array(text.utf8), named: key) : nil
            _ = metadata.append(value ?? .string(text), for: key)
        }
        return metadata
    }

    private func embeddings() async -> JSONValue {
        var loaded = JSONObject()
        for entry in shelf.entries(of: .embedding) {
            let vectors = await shelf.facts.vectors(of: entry.location)
            let notes = await shelf.facts.notes(of: entry.location)
            func note(_ key: String) -> JSONValue { notes[key].map { .string($0) } ?? .null }
            let view: JSONValue = [
                "step": notes["step"].flatMap { Int($0) }.map { JSONValue($0) } ?? .null,
                "sd_checkpoint": note("sd_checkpoint"),
                "sd_checkpoint_name": note("sd_checkpoint_name"),
                "shape": JSONValue(vectors?.width ?? 0), "vectors": JSONValue(vectors?.count ?? 0),
            ]
            _ = loaded.append(view, for: entry.name)
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
