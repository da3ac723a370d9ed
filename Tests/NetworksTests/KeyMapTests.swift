import Checkpoints
import Networks
import TensorGraph
import Testing

/// The tables from other programs' names to diffusers', on all names of real models.
@Suite struct KeyMapTests {
    static let families = ["sd1", "sd1-inpainting", "sd2", "xl", "ssd-1b", "bk-sdm-tiny"]

    /// Every name has another, no two have one, and the inverted table leads back.
    private func expectBothWays(_ table: ModuleTable, _ weights: some WeightCatalog) {
        var ours: Set<String> = []
        let inverted = table.inverted
        for name in weights.names {
            guard let new = table.name(of: name) else {
                Issue.record("\(name) is not in the table")
                continue
            }
            #expect(ours.insert(new).inserted, "\(name) would have a name that another has")
            #expect(inverted.name(of: new) == name)
        }
    }

    @Test(arguments: families) func unets(_ family: String) throws {
        let full = try FullSize(family)
        let stored = full.file.weights(under: CompVisUNetNames.prefix)
        #expect(CompVisUNetNames.fits(stored))
        let table = CompVisUNetNames(stored).table
        expectBothWays(table, stored)
        // The U-Net that diffusers' configuration describes uses each weight.
        let weights = stored.translated(table)
        let inferred = try #require(
            Configuration.unet(of: weights, sampleSize: try full.unet.integer("sample_size", in: 1...1024)))
        let configuration = try UNetConfiguration(inferred)
        #expect(try configuration == UNetConfiguration(full.unet))
        let context = ["xl", "ssd-1b"].contains(family) ? 1280 : 0
        _ = try UNet(configuration).graph(
            batch: 1, height: 64, width: 64, tokens: 77, pooledWidth: context, weights: weights)
    }

    @Test(arguments: families) func autoencoders(_ family: String) throws {
        let full = try FullSize(family)
        let stored = full.file.weights(under: CompVisAutoencoderNames.prefix)
        #expect(CompVisAutoencoderNames.fits(stored))
        let table = CompVisAutoencoderNames(stored).table
        expectBothWays(table, stored)
        let weights = stored.translated(table)
        let scale = try full.vae.number("scaling_factor", in: 0...1)
        let inferred = try #require(Configuration.autoencoder(of: weights, scalingFactor: scale))
        let configuration = try AutoencoderConfiguration(inferred)
        #expect(try configuration == AutoencoderConfiguration(full.vae))
        _ = try Autoencoder(configuration).decoderGraph(batch: 1, height: 8, width: 8, weights: weights)
        _ = try Autoencoder(configuration).encoderGraph(batch: 1, height: 64, width: 64, weights: weights)
    }

    @Test(arguments: [
        ("sd1", 0, "cond_stage_model.transformer.", 0), ("sd2", 0, "cond_stage_model.model.", 0),
        ("sd2", 0, "cond_stage_model.model.", 1), ("xl", 0, "conditioner.embedders.0.transformer.", 0),
        ("xl", 1, "conditioner.embedders.1.model.", 0),
    ])
    func textEncoders(_ family: String, _ index: Int, _ prefix: String, _ leftOut: Int) throws {
        let full = try FullSize(family)
        let stored = full.file.weights(under: prefix)
        let isOpen = OpenCLIPNames.fits(stored)
        let weights =
            isOpen ? WeightView(stored, sources: OpenCLIPNames.sources(stored, leavingOut: leftOut)) : stored
        if isOpen {
            let plain = stored.names.filter { $0.hasSuffix(".weight") || $0.hasSuffix(".bias") }
            let table = OpenCLIPNames(layers: OpenCLIPNames.layerCount(stored)).table
            expectBothWays(
                table,
                NamesOnly(Dictionary(uniqueKeysWithValues: plain.map { ($0, stored.entry(named: $0)!) })))
        }
        let inferred = try #require(
            Configuration.textEncoder(of: weights, activation: isOpen ? "gelu" : "quick_gelu"))
        let layers = try full.texts[index].integer("num_hidden_layers", in: 1...100)
        #expect(try inferred.integer("num_hidden_layers", in: 1...100) == layers - leftOut)
        if leftOut == 0 {
            #expect(try CLIPTextConfiguration(inferred) == CLIPTextConfiguration(full.texts[index]))
        }
        var options = CLIPTextEncoder.Options()
        options.pools = isOpen
        _ = try CLIPTextEncoder(CLIPTextConfiguration(inferred)).graph(
            batch: 1, options: options, weights: weights)
    }

    /// TAESD in its author's files, `taesd.py`: the numbers of the convolutions, those with a bias, and of the blocks.
    @Test func smallAutoencoders() throws {
        func names(_ prefix: String, _ convolutions: [Int], biased: Set<Int>, _ blocks: [Int]) -> [String] {
            let plain = convolutions.map { "\($0).weight" } + biased.map { "\($0).bias" }
            let inner = blocks.flatMap { block in [0, 2, 4].map { "\(block).conv.\($0)" } }
            return (plain + inner.flatMap { ["\($0).weight", "\($0).bias"] }).map { prefix + $0 }
        }
        for prefixes in [["": ""], ["encoder.": "decoder."], ["taesd_encoder.": "taesd_decoder."]] {
            let (first, second) = try #require(prefixes.first)
            let encoder = names(
                first, [0, 2, 6, 10, 14], biased: [0, 14], [1, 3, 4, 5, 7, 8, 9, 11, 12, 13])
            let decoder = names(
                second, [1, 7, 12, 17, 19], biased: [1, 19], [3, 4, 5, 8, 9, 10, 13, 14, 15, 18])
            func shape(_ name: String) -> Shape {
                if name.hasSuffix("bias") {
                    return [name == second + "19.bias" ? 3 : name == first + "14.bias" ? 4 : 64]
                }
                return switch name {
                case first + "0.weight": [64, 3, 3, 3]
                case first + "14.weight": [4, 64, 3, 3]
                case second + "1.weight": [64, 4, 3, 3]
                case second + "19.weight": [3, 64, 3, 3]
                default: [64, 64, 3, 3]
                }
            }
            func catalog(_ names: [String]) -> NamesOnly {
                NamesOnly(
                    Dictionary(
                        uniqueKeysWithValues: names.map {
                            ($0, WeightEntry(shape: shape($0), elementType: .float16))
                        }))
            }
            let table: ModuleTable
            if first.isEmpty {
                #expect(TinyAutoencoderNames.half(catalog(encoder)) == .encoder)
                #expect(TinyAutoencoderNames.half(catalog(decoder)) == .decoder)
                expectBothWays(TinyAutoencoderNames(.encoder).table, catalog(encoder))
                expectBothWays(TinyAutoencoderNames(.decoder).table, catalog(decoder))
                continue
            } else {
                let found = try #require(TinyAutoencoderNames.prefixes(catalog(encoder + decoder)))
                #expect(found == [.encoder: first, .decoder: second])
                table = TinyAutoencoderNames(found).table
            }
            let both = catalog(encoder + decoder)
            expectBothWays(table, both)
            // The autoencoder that the weights describe uses each of them.
            let weights = both.translated(table)
            let network = try TinyAutoencoder(#require(Configuration.tinyAutoencoder(of: weights)))
            #expect(network.factor == 8)
            _ = try network.decoderGraph(batch: 1, height: 8, width: 8, weights: weights)
            _ = try network.encoderGraph(batch: 1, height: 64, width: 64, weights: weights)
        }
        #expect(
            TinyAutoencoderNames.fileName(of: .encoder, beside: "TAESDXL_Decoder.pth")
                == "TAESDXL_encoder.pth")
        #expect(TinyAutoencoderNames.fileName(of: .encoder, beside: "small.pth") == nil)
    }

    /// Nothing is replaced inside of names, and a name that is not in the table is said to be.
    @Test func unknownNamesStayTheirs() throws {
        let full = try FullSize("sd1")
        let stored = full.file.weights(under: CompVisUNetNames.prefix)
        let table = CompVisUNetNames(stored).table
        for name in [
            "input_blocks.99.0.in_layers.0.weight", "input_blocks.1.0.in_layers.7.weight", "weight", "", ".",
        ] {
            #expect(table.name(of: name) == nil, "\(name)")
        }
        let more = NamesOnly(
            full.file.entries.merging(
                ["\(CompVisUNetNames.prefix)adapter.weight": .init(shape: [1], elementType: .float32)]) { $1 }
        )
        let weights = more.weights(under: CompVisUNetNames.prefix).translated(table)
        let error = #expect(throws: GraphError.self) {
            try UNet(UNetConfiguration(full.unet)).graph(
                batch: 1, height: 8, width: 8, tokens: 77, weights: weights)
        }
        #expect("\(try #require(error))".contains("adapter.weight"))
    }
}
