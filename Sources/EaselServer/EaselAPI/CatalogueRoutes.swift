import Checkpoints
import Conditioning
import Easel
import Foundation
import Hummingbird
import Sampling

/// `/api/v1/models`, `samplers` and the like: what there is to choose from.
struct CatalogueRoutes: Sendable {
    let queue: JobQueue
    let started = Date()

    func add(to api: RouterGroup<ServerContext>) {
        api.get("models") { _, _ in JSONBody(await models()).response() }
        api.post("models/refresh") { _, _ in
            await queue.shelf.refresh()
            return JSONBody(await models()).response()
        }
        api.get("samplers") { _, _ in JSONBody(Self.samplers).response() }
        api.get("schedules") { _, _ in JSONBody(Self.schedules).response() }
        api.get("loras") { _, _ in JSONBody(["loras": names(.lora)]).response() }
        api.get("embeddings") { _, _ in JSONBody(["embeddings": names(.embedding)]).response() }
        api.get("limits") { _, _ in JSONBody(limits).response() }
        api.get("status") { _, _ in JSONBody(try await status()).response() }
        api.post("tokens", use: tokens)
    }

    func models() async -> JSONValue {
        let current = await queue.shelf.current
        var models: [JSONValue] = []
        for entry in await queue.shelf.entries {
            let size = await queue.shelf.size(ofModel: entry.name)
            models.append([
                "name": .string(entry.name), "title": .string(entry.name),
                "current": .bool(entry.name == current),
                "width": size.map { JSONValue($0.width) } ?? .null,
                "height": size.map { JSONValue($0.height) } ?? .null,
            ])
        }
        return ["models": .array(models)]
    }

    static var samplers: JSONValue {
        let all: [JSONValue] = SamplerCatalogue.all.map {
            [
                "name": .string($0.name), "label": .string($0.label), "aliases": JSONValue($0.aliases),
                "description": .string($0.summary),
            ]
        }
        return ["samplers": .array(all)]
    }

    static var schedules: JSONValue {
        let all: [JSONValue] = ScheduleCatalogue.all.map {
            [
                "name": .string($0.name), "label": .string($0.label), "aliases": JSONValue($0.aliases),
                "description": .string($0.summary),
            ]
        }
        return ["schedules": .array(all)]
    }

    func names(_ kind: ModelShelf.Kind) -> JSONValue {
        .array(queue.shelf.names(of: kind).map { ["name": .string($0)] })
    }

    var limits: JSONValue {
        func range(_ least: Int, _ most: Int) -> JSONValue {
            ["min": JSONValue(least), "max": JSONValue(most)]
        }
        let side: JSONValue = ["min": 64, "max": 2048, "multiple": 8]
        let limits = queue.limits
        return [
            "width": side, "height": side, "steps": range(1, limits.steps), "count": range(1, limits.count),
            "batch_size": range(1, limits.batchSize), "body_bytes": JSONValue(limits.bodyBytes),
            "pixels": JSONValue(limits.pixels), "queue_length": JSONValue(limits.queueLength),
            "per_client": JSONValue(limits.perClient), "resize": ["crop", "pad", "stretch"],
            "fill": ["original", "noise", "blur"], "upscalers": ["latent", "image"],
            "profiles": JSONValue(Profile.allCases.map(\.rawValue)),
            "prompt_syntaxes": JSONValue(PromptSyntax.allCases.map(\.rawValue)),
        ]
    }

    func status() async throws -> JSONValue {
        let model = await queue.shelf.current
        let settings = await queue.shelf.completed(JobSettings(prompt: ""), model: model)
        let speed = queue.speed.secondsPerStep(settings, model: model)
        let defaults = await queue.shelf.defaults.map { defaults -> JSONValue in
            [
                "steps": JSONValue(defaults.steps),
                "guidance_scale": .number(JSONNumber(Double(defaults.guidanceScale))),
                "sampler": defaults.sampler.map { .string($0) } ?? .null,
            ]
        }
        return [
            "version": .string(easelVersion), "defaults": defaults ?? .null, "model": .string(model),
            "queued": JSONValue(try await queue.store.queue().count),
            "running": queue.runner.running.first.map { .string($0.job) } ?? .null,
            "seconds_per_step": speed.map { .number(JSONNumber($0)) } ?? .null,
            "uptime": .number(JSONNumber(Date().timeIntervalSince(started).rounded())),
        ]
    }

    private struct Text: Decodable {
        let text: String
        let model: String?
    }

    @Sendable func tokens(_ request: Request, _ context: ServerContext) async throws -> Response {
        let body = try await JSONRequest.decoded(
            Text.self, of: request, limit: 1 << 20, fields: FieldNames(names: ["text", "model"]))
        guard body.text.unicodeScalars.count <= queue.limits.promptLength else {
            throw APIError.invalid("text", "at most \(queue.limits.promptLength) characters are counted")
        }
        let tokenizer = try await queue.shelf.tokenizer(ofModel: body.model)
        let parsed = try ParsedPrompt(
            ExtraNetworks(body.text, syntax: .a1111).text, syntax: .a1111, steps: 25, tokenizer: tokenizer,
            length: tokenizer.length)
        // The longest stage of all parts, whose chunks are what the text encoder sees.
        let passages =
            parsed.subprompts.flatMap(\.stages).map(\.passages).max { $0.count < $1.count } ?? []
        let counts = passages.compactMap { $0.terms.first?.chunk.count }
        return JSONBody([
            "count": JSONValue(counts.reduce(0, +)), "limit": JSONValue(tokenizer.length - 2),
            "chunks": JSONValue(passages.count),
        ]).response()
    }
}
