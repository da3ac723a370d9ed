import Checkpoints
import Conditioning
import Easel
import Foundation
import TensorGraph
import Testing

@Suite("A damaged model is refused by an error that says where")
struct DamagedModelTests {
    /// Damages a copy, and gives the error of opening it and making a picture.
    private func error(
        _ tiny: TinyModel = .sd1, _ damage: (ModelCopy) throws -> Void
    ) async throws -> any Error {
        let copy = try ModelCopy(of: tiny)
        try damage(copy)
        do {
            _ = try await openModel(at: copy.folder).picture(.quick(steps: 1))
        } catch {
            return error
        }
        Issue.record("the damaged model makes a picture")
        throw CancellationError()
    }

    @Test func noSuchFolder() {
        let folder = URL(filePath: "/nonexistent/model")
        #expect(throws: ModelFolderError.missing(path: folder.path)) { try openModel(at: folder) }
        let file = TinyModel.sd1.folder.appending(path: unetWeights)
        #expect(throws: ModelError.self) { try openModel(at: file) }
    }

    @Test(arguments: ["unet", "vae", "text_encoder", "tokenizer", "scheduler"])
    func missingComponentFolder(_ component: String) async throws {
        let error = try await error { try $0.remove(component) }
        #expect(error is ModelFolderError || error is TokenizerError || error is FileError, "\(error)")
        #expect("\(error)".contains("/\(component)"), "\(error)")
    }

    @Test(arguments: [
        "model_index.json", "unet/config.json", unetWeights, "vae/config.json", autoencoderWeights,
        "text_encoder/config.json", textEncoderWeights, "tokenizer/vocab.json", "tokenizer/merges.txt",
        "scheduler/scheduler_config.json",
    ])
    func missingFile(_ path: String) async throws {
        let error = try await error { try $0.remove(path) }
        #expect(error is ModelFolderError || error is TokenizerError || error is FileError, "\(error)")
        #expect("\(error)".contains(path.split(separator: "/").last!), "\(error)")
    }

    @Test(arguments: [
        "model_index.json", "unet/config.json", "vae/config.json", "text_encoder/config.json",
        "scheduler/scheduler_config.json", "tokenizer/vocab.json",
    ])
    func configurationThatIsNotJSON(_ path: String) async throws {
        for text in ["", "{", "not JSON", "{\"a\": 1,}", "\u{0}"] {
            let error = try await error { try $0.write(text, to: path) }
            #expect(error is JSONError, "\(path), \(text.debugDescription): \(type(of: error)) \(error)")
            #expect("\(error)".contains("\(path), line 1"), "\(error)")
        }
        for text in ["[]", "null", "12"] {
            let error = try await error { try $0.write(text, to: path) }
            #expect("\(error)".contains(path), "\(error)")
        }
    }

    @Test func absurdSizes() async throws {
        let cases: [(path: String, key: String, value: Any)] = [
            ("unet/config.json", "block_out_channels", [Int.max, 16, 16]),
            ("unet/config.json", "block_out_channels", [Int]()),
            ("unet/config.json", "layers_per_block", 1_000_000_000),
            ("unet/config.json", "cross_attention_dim", -1),
            ("unet/config.json", "norm_num_groups", 0),
            ("unet/config.json", "attention_head_dim", 0),
            ("unet/config.json", "sample_size", -8),
            ("unet/config.json", "in_channels", "four"),
            ("vae/config.json", "block_out_channels", Array(repeating: 4, count: 64)),
            ("vae/config.json", "norm_num_groups", 0),
            ("vae/config.json", "scaling_factor", 0),
            ("vae/config.json", "latent_channels", 1e300),
            ("text_encoder/config.json", "num_hidden_layers", 1 << 40),
            ("text_encoder/config.json", "num_attention_heads", 0),
            ("text_encoder/config.json", "hidden_size", 1.5),
            ("scheduler/scheduler_config.json", "num_train_timesteps", -1),
        ]
        for (path, key, value) in cases {
            let error = try await error { try $0.set(path, [key: value]) }
            #expect(error is ConfigurationError, "\(path), \(key) = \(value): \(type(of: error)) \(error)")
            #expect("\(error)".contains(path) && "\(error)".contains(key), "\(error)")
        }
    }

    @Test func weightsOfAnotherShape() async throws {
        let error = try await error { try $0.set("unet/config.json", ["block_out_channels": [16, 16, 16]]) }
        let graphError = try #require(error as? GraphError, "\(error)")
        #expect(
            graphError.problems.contains(
                .wrongShape(weight: "conv_in.weight", expected: [16, 4, 3, 3], actual: [8, 4, 3, 3])))
        let text = "\(error)"
        #expect(text.contains(unetWeights) && text.contains("conv_in.weight"))
        #expect(text.contains("[16, 4, 3, 3]") && text.contains("[8, 4, 3, 3]"), "\(text)")
    }

    /// Files without a configuration say with what they have how much there should be.
    @Test(
        arguments: [
            ("missing", "input_blocks.1.0.in_layers.2.bias: missing, expected shape [32]"),
            (
                "shape",
                "input_blocks.1.0.in_layers.2.weight: expected shape [32, 32, 3, 3], has [7, 7]"
            ),
            (
                "autoencoder",
                "first_stage_model.decoder.up.1.block.0.conv1.weight: missing, expected shape [32, 32, 3, 3]"
            ), ("extra", "model.diffusion_model.extra.weight: not part of the network, has shape [3]"),
        ])
    func singleFiles(_ damage: String, _ line: String) throws {
        let folder = try ScratchFolder()
        let (family, file) = (try TinyFamily("sd1"), folder.url.appending(path: "a.safetensors"))
        let kernels = family.tensors.keys.filter { $0.contains(".in_layers.2.weight") }
        switch damage {
        case "missing": try family.write(to: file, leavingOut: { $0.contains(".in_layers.2.") })
        case "autoencoder":
            try family.write(
                to: file, leavingOut: { $0.hasPrefix("first_stage_model.") && $0.hasSuffix("conv1.weight") })
        case "shape":
            try family.write(
                to: file, adding: Dictionary(uniqueKeysWithValues: kernels.map { ($0, [7, 7]) }))
        default: try family.write(to: file, adding: ["model.diffusion_model.extra.weight": [3]])
        }
        let error = #expect(throws: GraphError.self) {
            try ModelConversion(of: file, vocabulary: TinyFamily.vocabulary)
        }
        let text = "\(try #require(error))"
        #expect(text.contains(line) && text.contains(file.path), "\(text)")
        #expect(!text.contains("configuration") && text.split(separator: "\n").count <= 7, "\(text)")
    }

    @Test func missingTensor() async throws {
        let name = "mid_block.attentions.0.proj_in.weight"
        let error = try await error { copy in
            try copy.rewrite(unetWeights) { header, _ in
                #expect(header.keys.contains(name))
                header["misnamed.weight"] = header[name]
                header[name] = nil
            }
        }
        let graphError = try #require(error as? GraphError, "\(error)")
        #expect(
            graphError.problems == [
                .missing(weight: name, expected: [16, 16, 1, 1]),
                .unused(weight: "misnamed.weight", actual: [16, 16, 1, 1]),
            ])
        #expect("\(error)".contains("\(name): missing"))
    }

    @Test(arguments: [unetWeights, autoencoderWeights, textEncoderWeights])
    func extraTensors(_ path: String) async throws {
        let error = try await error { copy in
            try copy.rewrite(path) { header, values in
                for index in 0..<7 {
                    header["extra.\(index)"] = [
                        "dtype": "F32", "shape": [2],
                        "data_offsets": [values.count, values.count + 8],
                    ]
                    values.append(Data(count: 8))
                }
            }
        }
        let graphError = try #require(error as? GraphError, "\(error)")
        #expect(Set(graphError.problems) == Set((0..<7).map { .unused(weight: "extra.\($0)", actual: [2]) }))
        let text = "\(error)"
        #expect(text.contains("7 problems") && text.contains("and 2 more"), "\(text)")
        #expect(text.split(separator: "\n").count { $0.contains("extra.") } == 5)
    }

    @Test func truncatedWeights() async throws {
        let whole = try Data(contentsOf: TinyModel.sd1.folder.appending(path: unetWeights))
        for count in [0, 4, 8, 100, whole.count / 2, whole.count - 1] {
            let error = try await error { try whole.prefix(count).write(to: $0.file(unetWeights)) }
            let safetensorsError = try #require(
                error as? SafetensorsError, "\(count) bytes: \(type(of: error)) \(error)")
            #expect(safetensorsError.path.hasSuffix(unetWeights))
        }
    }

    @Test func missingShard() async throws {
        let shard = "diffusion_pytorch_model-00002-of-00002.safetensors"
        let error = try await error(.sd2) { try $0.remove("unet/\(shard)") }
        guard case .shardMissing(let index, shard, _)? = error as? CheckpointError else {
            Issue.record("\(error)")
            return
        }
        #expect(index.hasSuffix("unet/diffusion_pytorch_model.safetensors.index.json"))
        #expect("\(error)".contains(index) && "\(error)".contains(shard))
    }

    @Test(arguments: ["StableDiffusionXLPipeline", "FluxPipeline"])
    func otherPipelines(_ name: String) async throws {
        let error = try await error { try $0.set("model_index.json", ["_class_name": name]) }
        #expect(error is ModelError, "\(error)")
        #expect("\(error)".contains(name))
    }

    @Test func partsOfDifferentModels() async throws {
        let editing = try await error { try $0.set("unet/config.json", ["in_channels": 7]) }
        #expect(editing is ModelError)
        #expect("\(editing)".contains("editing"))
        let context = try await error { try $0.set("unet/config.json", ["cross_attention_dim": 64]) }
        #expect(context is ModelError)
        #expect(
            "\(context)".hasSuffix("cross_attention_dim is 64, the text encoder's hidden_size 32"),
            "\(context)")
    }

    @Test func namesOfBothAges() throws {
        func names(_ tiny: TinyModel, _ component: String) throws -> [String] {
            try ModelFolder(at: tiny.folder).checkpoint(component).names
        }
        #expect(try names(.sd1, "text_encoder").contains { $0.hasPrefix("text_model.") })
        #expect(try names(.sd1, "vae").contains("decoder.mid_block.attentions.0.query.weight"))
        #expect(try !names(.sd2, "text_encoder").contains { $0.hasPrefix("text_model.") })
        #expect(try names(.sd2, "vae").contains("decoder.mid_block.attentions.0.to_q.weight"))
        for tiny in TinyModel.allCases {
            for network in ModelNetwork.allCases where network != .secondTextEncoder {
                #expect(try network.graph(of: tiny.folder).weights.count > 0)
            }
        }
    }
}
