import Checkpoints
import Easel
import Foundation
import OpenVINOEngine
import Testing

/// An adapter's file for a tiny model: `Tests/Golden/adapters.py`.
struct TinyAdapter {
    let family: TinyFamily
    let strength: Float
    private let contents: TinyFile

    private struct Document: Decodable {
        let family: String
        let strength: Float
        let constants: [String: Float]
        let tensors: [String: [Int]]
    }

    init(_ name: String) throws {
        let url = TinyModel.golden.appending(path: "adapters/\(name).json")
        let document = try JSONDecoder().decode(Document.self, from: Data(contentsOf: url))
        family = try TinyFamily(document.family)
        strength = document.strength
        contents = TinyFile(tensors: document.tensors, constants: document.constants)
    }

    func write(to url: URL, changing: (inout TinyFile) -> Void = { _ in }) throws {
        var contents = contents
        changing(&contents)
        try contents.write(to: url)
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
        let file = folder.url.appending(path: "\(name).safetensors")
        try adapter.write(to: file, changing: changing)
        return (adapter, file)
    }

    @Test(arguments: [
        "kohya", "peft", "processors", "convolutions", "dora", "loha", "lokr", "kohya-xl",
    ])
    func latentsAreDiffusers(_ name: String) async throws {
        let golden = try Checkpoint(
            contentsOf: TinyModel.golden.appending(path: "adapters/adapters.safetensors"))
        let (adapter, file) = try written(name)
        let model = try model(adapter.family)
        var request = adapter.family.requests[0].request
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
        // The record has them, for the same picture again.
        let again = try Request(GenerationRecord(json: named.record.json))
        #expect(
            again.prompt.contains("<lora:kohya:0.25:0.5>")
                && again.loraFolders.map(\.path) == [folder.url.path])
        #expect(try await model.picture(again).image == named.image)
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
            case .notFinite(_, "\(layer).alpha")? = try await problem(
                "convolutions", changing: { $0.constants["\(layer).alpha"] = .nan })
        else { throw Unexpected() }
        guard
            case .notAnAdapter? = try await problem(
                "convolutions", changing: { $0 = TinyFile(tensors: ["a": [1]], constants: [:]) })
        else { throw Unexpected() }
        guard
            case .otherFamily(_, "Stable Diffusion XL"?, _, 1)? = try await problem(
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
