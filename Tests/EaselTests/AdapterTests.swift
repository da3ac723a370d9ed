import Checkpoints
import Conditioning
import Easel
import Foundation
import OpenVINOEngine
import Testing

/// An adapter's file for a tiny model: `Tests/Golden/adapters.py` and `saved_adapters.py`.
struct TinyAdapter {
    let family: TinyFamily
    let strength: Float
    /// The prompt of its latents, where it is not the family's.
    let prompt: String?
    /// Whether PEFT wrote it, as a folder.
    var isFolder: Bool { configuration != nil }
    let contents: TinyFile
    /// JSON texts.
    private let configuration: String?
    private let metadata: String?

    private struct Document: Decodable {
        let family: String
        let strength: Float
        let prompt: String?
        let constants: [String: Float]
        let tensors: [String: [Int]]
    }

    init(_ name: String) throws {
        let url = TinyModel.golden.appending(path: "adapters/\(name).json")
        let data = try Data(contentsOf: url)
        let document = try JSONDecoder().decode(Document.self, from: data)
        let members = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
        func text(_ key: String) throws -> String? {
            try members[key].map {
                String(decoding: try JSONSerialization.data(withJSONObject: $0), as: UTF8.self)
            }
        }
        family = try TinyFamily(document.family)
        strength = document.strength
        prompt = document.prompt
        contents = TinyFile(tensors: document.tensors, constants: document.constants)
        (configuration, metadata) = (try text("configuration"), try text("metadata"))
    }

    /// The request that its latents are of, without the adapter.
    var request: Request {
        var request = family.requests[0].request
        request.prompt = prompt ?? request.prompt
        return request
    }

    /// Writes the file, or the folder that PEFT writes.
    func write(
        to url: URL, naming: (String) -> String = { $0 }, changing: (inout TinyFile) -> Void = { _ in }
    ) throws {
        var contents = contents
        changing(&contents)
        guard let configuration else {
            return try contents.write(to: url, metadata: metadata, naming: naming)
        }
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        try contents.write(to: url.appending(path: "adapter_model.safetensors"), naming: naming)
        try Data(configuration.utf8).write(to: url.appending(path: "adapter_config.json"))
    }
}

@Suite("LoRA and its kin")
struct AdapterTests {
    private let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    private func model(_ family: TinyFamily) throws -> Model {
        let file = folder.url.appending(path: "\(family.name).safetensors")
        try family.write(to: file)
        return try Model(
            at: file, engine: OpenVINOEngine(threads: 1), precision: .float32,
            vocabulary: TinyFamily.vocabulary)
    }

    private func written(_ name: String, changing: (inout TinyFile) -> Void = { _ in }) throws -> (
        TinyAdapter, URL
    ) {
        let adapter = try TinyAdapter(name)
        let file = folder.url.appending(path: adapter.isFolder ? name : "\(name).safetensors")
        try adapter.write(to: file, changing: changing)
        return (adapter, file)
    }

    @Test(arguments: [
        "kohya", "peft", "processors", "convolutions", "dora", "loha", "lokr", "kohya-xl", "peft-folder",
        "diffusers-xl", "onetrainer", "peft-text", "peft-loha", "peft-lokr", "projection-xl",
    ])
    func latentsAreDiffusers(_ name: String) async throws {
        let (adapter, file) = try written(name)
        let golden = try Checkpoint(
            contentsOf: TinyModel.golden.appending(
                path: "adapters/\(adapter.prompt == nil ? "adapters" : "saved").safetensors"))
        let model = try model(adapter.family)
        var request = adapter.request
        let before = try await model.picture(request).latents.values
        request.loras = [LoRA(path: file.path, weight: adapter.strength)]
        let events = try await model.events(request)
        #expect(events.warnings.isEmpty, "\(events.warnings)")
        let latents = try #require(events.pictures.first).latents.values
        let difference = largestDifference(try GoldenPipelineTests.floats(name, in: golden), latents)
        #expect(difference <= 2e-3, "\(name): latents differ by \(difference)")
        #expect(largestDifference(latents, before) > 0.1, "the adapter changes nothing")
        // Without it, and with it at 0, the model is as it was, to the bit.
        request.loras = [LoRA(path: file.path, weight: 0)]
        #expect(try await model.picture(request).latents.values == before)
    }

    /// What they change is in memory.
    @Test("The model's file and theirs stay as they are", arguments: ["kohya", "dora"])
    func filesStayAsTheyAre(_ name: String) async throws {
        let (adapter, file) = try written(name)
        let model = try model(adapter.family)
        let files = [file, folder.url.appending(path: "\(adapter.family.name).safetensors")]
        let before = try files.map { try Data(contentsOf: $0) }
        var request = adapter.request
        request.steps = 1
        let plain = try await model.picture(request).latents.values
        request.loras = [LoRA(path: file.path, weight: adapter.strength)]
        #expect(largestDifference(try await model.picture(request).latents.values, plain) > 0)
        #expect(try files.map { try Data(contentsOf: $0) } == before)
    }

    @Test func promptsNameThem() async throws {
        let (adapter, file) = try written("kohya")
        let model = try model(adapter.family)
        var request = adapter.family.requests[0].request
        request.loras = [LoRA(path: file.path, weight: 0.5, textEncoderWeight: 0.25)]
        let wanted = try await model.picture(request)
        request.loras = []
        request.prompt += "<lora:kohya:0.25:0.5>"
        await #expect(throws: LoRAError.self) { try await model.picture(request) }
        request.loraFolders = [folder.url]
        let named = try await model.picture(request)
        #expect(named.latents.values == wanted.latents.values)
        // Two are added to each other, whatever their order.
        request.prompt += " <lora:kohya:te=0.5:unet=0.25>"
        let both = try await model.picture(request).latents.values
        request.prompt = adapter.family.requests[0].prompt
        request.loras = [LoRA(path: file.path, weight: 0.75)]
        #expect(largestDifference(both, try await model.picture(request).latents.values) < 1e-3)
        request.prompt = "x <lora:kohja>"
        let error = await #expect(throws: LoRAError.self) { try await model.picture(request) }
        #expect(error?.nearest == ["kohya"])
        // What a comment names is not looked for.
        request.prompt = "x # <lora:kohja>"
        _ = try await model.picture(request)
        request.loras = []
        // A file that was renamed has the name that its trainer gave it too, after those that files have.
        try adapter.contents.write(
            to: folder.url.appending(path: "old.safetensors"), metadata: #"{"ss_output_name": "ink"}"#)
        request.prompt = adapter.family.requests[0].prompt + "<lora:ink:0.25:0.5>"
        #expect(try await model.picture(request).latents.values == wanted.latents.values)
        try Data([1, 2, 3]).write(to: folder.url.appending(path: "ink.safetensors"))
        await #expect(throws: SafetensorsError.self) { try await model.picture(request) }
        try Data("GGUF".utf8).write(to: folder.url.appending(path: "small.gguf"))
        request.prompt = "x <lora:small:1>"
        await #expect(throws: GGUFError.self) { try await model.picture(request) }
        request.prompt = "x <lora:kohya:nan>"
        await #expect(throws: PromptError.loraWeight(tag: "<lora:kohya:nan>", weight: "nan")) {
            try await model.picture(request)
        }
        request.prompt = adapter.family.requests[0].prompt
        // The record has them, for the same picture again.
        let again = try Request(GenerationRecord(json: named.record.json))
        #expect(
            again.prompt.contains("<lora:kohya:0.25:0.5>")
                && again.loraFolders.map(\.path) == [folder.url.path])
        #expect(try await model.picture(again).image == named.image)
    }

    /// `dyn` of a prompt's LoRA: what a file gives that was cut to that rank, with the same scale.
    @Test(arguments: ["kohya", "convolutions"]) func ranksCanBeLimited(_ name: String) async throws {
        let rank = 2
        let (adapter, whole) = try written(name)
        let cut = folder.url.appending(path: "cut.safetensors")
        try adapter.write(
            to: cut,
            changing: { file in
                for (name, shape) in file.tensors where name.hasSuffix(".lora_down.weight") {
                    let layer = String(name.dropLast(".lora_down.weight".count))
                    // What has a core is used whole.
                    guard file.tensors[layer + ".lora_mid.weight"] == nil else { continue }
                    let up = layer + ".lora_up.weight"
                    let upShape = file.tensors[up] ?? []
                    let (down, all) = (
                        TinyFile.values(of: name, shape: shape), TinyFile.values(of: up, shape: upShape)
                    )
                    file.given[name] = Array(down.prefix(down.count / shape[0] * rank))
                    file.given[up] = (0..<upShape[0]).flatMap {
                        all[($0 * shape[0])..<($0 * shape[0] + rank)]
                    }
                    file.tensors[name]?[0] = rank
                    file.tensors[up]?[1] = rank
                    file.constants[layer + ".alpha"]? *= Float(rank) / Float(shape[0])
                }
            })
        let model = try model(adapter.family)
        func latents(_ loras: [LoRA], _ words: String = "") async throws -> [Float] {
            var request = adapter.request
            request.loras = loras
            request.prompt += words
            request.loraFolders = [folder.url]
            return try await model.picture(request).latents.values
        }
        let wanted = try await latents([LoRA(path: cut.path, weight: 0.5)])
        #expect(try await latents([LoRA(path: whole.path, weight: 0.5, rankLimit: rank)]) == wanted)
        #expect(try await latents([], "<lora:\(name):0.5:0.5:\(rank)>") == wanted)
        // More than there are is all of them.
        let all = try await latents([LoRA(path: whole.path, weight: 0.5)])
        #expect(largestDifference(all, wanted) > 0.01)
        #expect(try await latents([LoRA(path: whole.path, weight: 0.5, rankLimit: 9)]) == all)
        var request = adapter.request
        request.loras = [LoRA(path: whole.path, rankLimit: 0)]
        await #expect(throws: RequestError.self) { try await model.picture(request) }
        request.loras = [LoRA(path: whole.path, weight: 0.5, rankLimit: rank)]
        let picture = try await model.picture(request)
        #expect(try Request(GenerationRecord(json: picture.record.json)).loras == request.loras)
    }

    /// OpenCLIP keeps its projection the other way round than transformers does; what changes it is the same, of any kind.
    @Test func projectionsAreChangedInFilesAndFolders() async throws {
        let adapter = try TinyAdapter("projection-xl")
        let single = try model(adapter.family)
        let made = folder.url.appending(path: "made")
        try ModelConversion(
            of: folder.url.appending(path: "xl.safetensors"), vocabulary: TinyFamily.vocabulary
        ).write(to: made, layout: .folder)
        let other = try openModel(at: made)
        var request = adapter.request
        request.steps = 1
        let plain = try await single.picture(request).latents.values
        let low = ["lora_up.weight": [96, 4], "lora_down.weight": [4, 128]]
        let kinds: [(String, [String: [Int]])] = [
            ("LoRA", low), ("DoRA", low.merging(["dora_scale": [96, 1]]) { $1 }),
            ("DoRA of inputs", low.merging(["dora_scale": [1, 128]]) { $1 }),
            (
                "LoHa",
                [
                    "hada_w1_a": [96, 4], "hada_w1_b": [4, 128], "hada_w2_a": [96, 4], "hada_w2_b": [4, 128],
                ]
            ),
            ("LoKr", ["lokr_w1": [4, 8], "lokr_w2": [24, 16]]), ("whole", ["diff": [96, 128]]),
        ]
        for (kind, tensors) in kinds {
            let named = tensors.map { ("lora_te2_text_projection.\($0)", $1) }
            let file = folder.url.appending(path: "\(kind).safetensors")
            try TinyFile(tensors: Dictionary(uniqueKeysWithValues: named), constants: [:]).write(to: file)
            request.loras = [LoRA(path: file.path, weight: 8)]
            let events = try await single.events(request)
            #expect(events.warnings.isEmpty, "\(events.warnings)")
            let latents = try #require(events.pictures.first).latents.values
            let change = largestDifference(latents, plain)
            let wanted = try await other.picture(request).latents.values
            let difference = largestDifference(latents, wanted)
            #expect(change > 0.001 && difference < change / 20, "\(kind): \(change), \(difference)")
        }
    }

    private func problem(_ name: String, changing: (inout TinyFile) -> Void) async throws -> AdapterError? {
        let (adapter, file) = try written(name, changing: changing)
        let model = try model(adapter.family)
        var request = adapter.family.requests[0].request
        let before = try await model.picture(request).latents.values
        request.loras = [LoRA(path: file.path)]
        let error = await #expect(throws: AdapterError.self) { try await model.picture(request) }
        #expect("\(try #require(error))".contains(file.path))
        request.loras = []
        #expect(try await model.picture(request).latents.values == before, "the model is not as it was")
        return error
    }

    @Test func whatDoesNotFitIsNamed() async throws {
        let layer = "lora_unet_mid_block_attentions_0_proj_in"
        guard
            case .wrongShape? = try await problem(
                "convolutions", changing: { $0.tensors["\(layer).lora_up.weight"] = [32, 4, 1, 1] })
        else { throw Unexpected() }
        guard
            case .incomplete? = try await problem(
                "convolutions", changing: { $0.tensors["\(layer).lora_up.weight"] = [64, 5, 1, 1] })
        else { throw Unexpected() }
        guard
            case .incomplete? = try await problem(
                "convolutions", changing: { $0.tensors["\(layer).lora_up.weight"] = nil })
        else { throw Unexpected() }
        guard
            case .incomplete(_, _, "its alpha is one number, and there are 2")? = try await problem(
                "convolutions",
                changing: {
                    $0.constants["\(layer).alpha"] = nil
                    $0.tensors["\(layer).alpha"] = [2]
                })
        else { throw Unexpected() }
        guard
            case .notFinite(_, "\(layer).alpha")? = try await problem(
                "convolutions", changing: { $0.constants["\(layer).alpha"] = .nan })
        else { throw Unexpected() }
        guard
            case .notAnAdapter? = try await problem(
                "convolutions", changing: { $0 = TinyFile(tensors: ["a": [1]], constants: [:]) })
        else { throw Unexpected() }
        guard
            case .otherFamily(_, "Stable Diffusion XL"?, _, _, 1)? = try await problem(
                "convolutions",
                changing: {
                    $0 = TinyFile(
                        tensors: [
                            "lora_unet_output_blocks_7_1_transformer_blocks_9_attn2_to_k.lora_down.weight": [
                                4, 2048,
                            ]
                        ],
                        constants: [:])
                })
        else { throw Unexpected() }
    }

    /// The same matrices under the names that other programs give them.
    @Test(
        arguments: [
            // OneTrainer's own state; PEFT's names in a file without settings; transformers 5; LyCORIS; cloneofsimo's.
            ("peft", [".lora_A.weight": ".lora_down.weight", ".lora_B.weight": ".lora_up.weight"]),
            ("peft", ["unet.": "base_model.model.unet.", "text_encoder.": "base_model.model."]),
            ("peft", ["text_encoder.text_model.": "text_encoder."]),
            ("peft", ["text_encoder.": "text_encoders.clip_l.transformer.", "unet.": "diffusion_model."]),
            ("kohya", ["lora_unet_": "lycoris_", "lora_te_": "lycoris_te_"]),
            ("kohya", ["lora_unet_": "lora_unet.", "lora_te_": "lora_te1_"]),
            ("kohya", [".lora_down.weight": ".lora.down.weight", ".lora_up.weight": ".lora.up.weight"]),
            ("kohya-xl", ["lora_te1_": "clip_l.", "lora_te2_": "clip_g."]),
        ] as [(String, [String: String])])
    func otherNamesAreTheSameMatrices(_ name: String, _ renaming: [String: String]) async throws {
        let (adapter, file) = try written(name)
        let renamed = folder.url.appending(path: "renamed.safetensors")
        try adapter.write(to: renamed) { name in
            renaming.reduce(name) { name, pair in
                if name.hasPrefix(pair.key) { return pair.value + name.dropFirst(pair.key.count) }
                return name.hasSuffix(pair.key) ? name.dropLast(pair.key.count) + pair.value : name
            }
        }
        let model = try model(adapter.family)
        var request = adapter.request
        request.loras = [LoRA(path: file.path)]
        let wanted = try await model.picture(request).latents.values
        request.loras = [LoRA(path: renamed.path)]
        let events = try await model.events(request)
        #expect(events.warnings.isEmpty, "\(events.warnings)")
        #expect(try #require(events.pictures.first).latents.values == wanted)
    }

    @Test func severalAreAddedWithAnySign() async throws {
        let (adapter, file) = try written("kohya")
        let (_, other) = try written("loha")
        let model = try model(adapter.family)
        var request = adapter.request
        let plain = try await model.picture(request).latents.values
        func latents(_ weights: [(URL, Float)]) async throws -> [Float] {
            request.loras = weights.map { LoRA(path: $0.path, weight: $1) }
            return try await model.picture(request).latents.values
        }
        let both = try await latents([(file, 0.5), (other, -0.75)])
        #expect(largestDifference(try await latents([(other, -0.75), (file, 0.5)]), both) < 1e-3)
        #expect(largestDifference(both, try await latents([(file, 0.5)])) > 0.01)
        #expect(largestDifference(both, try await latents([(file, 0.5), (other, 0.75)])) > 0.01)
        // What is added and taken away again leaves what rounding does.
        #expect(largestDifference(try await latents([(file, 0.5), (file, -0.5)]), plain) < 1e-3)
        #expect(try await latents([(file, 0), (other, 0)]) == plain)
        #expect(try await latents([]) == plain)
    }

    @Test func bundledWordsAreThoseOfTheirLoRA() async throws {
        let (adapter, file) = try written("onetrainer")
        let model = try model(adapter.family)
        var request = adapter.request
        request.loras = [LoRA(path: file.path, weight: 0.01)]
        let taught = try await model.picture(request).latents.values
        request.prompt = request.prompt.replacing("<sketch>", with: "&sketch&")
        let other = try await model.picture(request).latents.values
        #expect(largestDifference(taught, other) > 0.05)
    }

    @Test func otherKindsAndUnknownTensorsAreNamed() async throws {
        guard
            case .unsupported(_, "OFT")? = try await problem(
                "kohya",
                changing: { $0.tensors["lora_unet_mid_block_attentions_0_proj_in.oft_blocks"] = [2, 4, 4] })
        else { throw Unexpected() }
        let (adapter, file) = try written("kohya") { $0.tensors["text_embedding_bias"] = [4] }
        let model = try model(adapter.family)
        var request = adapter.request
        request.loras = [LoRA(path: file.path)]
        #expect(
            try await model.events(request).warnings
                == [.loraTensorsUnknown(file: file.path, tensors: ["text_embedding_bias"])])
        request.loras = [LoRA(path: folder.url.path)]
        await #expect(throws: AdapterError.self) { try await model.picture(request) }
    }

    @Test func settingsOfPEFTThatCannotBeKeptAreRefused() async throws {
        let (adapter, folder) = try written("peft-folder")
        let model = try model(adapter.family)
        var request = adapter.request
        request.loras = [LoRA(path: folder.path)]
        let settings = folder.appending(path: "adapter_config.json")
        for (text, told) in [
            (#"{"r": 4, "lora_alpha": 4, "init_lora_weights": "pissa_niter_4"}"#, "pissa_niter_4"),
            (#"{"r": 0, "lora_alpha": 4}"#, #""r" must be"#),
            (#"{"r": 4, "lora_alpha": 4, "alpha_pattern": {"to_(q|k)": 2}}"#, #""alpha_pattern" must be"#),
            (#"{"r": 4, "lora_alpha": "a"}"#, #""lora_alpha" must be"#), ("[]", "must be an object"),
        ] {
            try Data(text.utf8).write(to: settings)
            let error = await #expect(throws: (any Error).self) { try await model.picture(request) }
            let said = "\(try #require(error))"
            #expect(
                said.contains("/peft-folder/adapter_config.json") && said.contains(told), "\(text): \(said)")
        }
    }

    @Test func layersThatAreNotThereAreTold() async throws {
        let (adapter, file) = try written("kohya") {
            $0.tensors["lora_unet_another_layer.lora_down.weight"] = [4, 4]
            $0.tensors["lora_unet_another_layer.lora_up.weight"] = [4, 4]
        }
        let model = try model(adapter.family)
        var request = adapter.family.requests[0].request
        request.loras = [LoRA(path: file.path)]
        #expect(
            try await model.events(request).warnings
                == [.loraLayersUnknown(file: file.path, layers: ["another_layer"])])
    }

    private struct Unexpected: Error {}

    @Test(
        arguments: [
            ("a.safetensors", "a.safetensors", 1, nil), ("a.safetensors:0.5", "a.safetensors", 0.5, nil),
            ("a:b.pt:0.5:-1", "a:b.pt", 0.5, -1), ("C:/a.pt", "C:/a.pt", 1, nil), ("a:nan", nil, 1, nil),
        ] as [(String, String?, Float, Float?)])
    func theCommandsWords(_ text: String, _ path: String?, _ weight: Float, _ textWeight: Float?) {
        #expect(LoRA(text) == path.map { LoRA(path: $0, weight: weight, textEncoderWeight: textWeight) })
    }
}
