import Checkpoints
import Networks
import Testing

/// Configurations that are refused, each by the key that is wrong.
struct ConfigurationTests {
    static let unet: [String: String] = [
        "block_out_channels": "[32, 64]", "down_block_types": #"["CrossAttnDownBlock2D", "DownBlock2D"]"#,
        "up_block_types": #"["UpBlock2D", "CrossAttnUpBlock2D"]"#, "layers_per_block": "1",
        "attention_head_dim": "4", "norm_num_groups": "8", "cross_attention_dim": "32", "sample_size": "8",
    ]

    static func configuration(_ members: [String: String]) throws -> Configuration {
        let text = "{" + members.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ",") + "}"
        let value = try JSONValue(parsing: Array(text.utf8), named: "config.json")
        guard case .object(let object) = value else { throw NotAnObject() }
        return Configuration(object, path: "config.json")
    }

    struct NotAnObject: Error {}

    @Test func takesWhatFits() throws {
        let unet = try UNetConfiguration(Self.configuration(Self.unet))
        #expect(unet.inputChannels == 4)
        #expect(unet.sampleHeight == 8)
        #expect(unet.sampleWidth == 8)
        #expect(unet.contextWidth == 32)
    }

    @Test(arguments: [
        ("layers_per_block", "1000000000"), ("layers_per_block", "[1]"), ("attention_head_dim", "0"),
        ("attention_head_dim", "5"), ("norm_num_groups", "7"), ("norm_num_groups", "0"),
        ("block_out_channels", "[]"), ("block_out_channels", "[32, -64]"),
        ("block_out_channels", "[32.5, 64]"),
        ("down_block_types", #"["KDownBlock2D", "DownBlock2D"]"#), ("down_block_types", #"["DownBlock2D"]"#),
        ("addition_embed_type", #""text_image""#), ("class_embed_type", #""timestep""#),
        ("act_fn", #""mish""#), ("resnet_time_scale_shift", #""scale_shift""#), ("conv_in_kernel", "1"),
        ("only_cross_attention", "true"), ("dual_cross_attention", "true"), ("time_cond_proj_dim", "2"),
        ("mid_block_type", #""UNetMidBlock2DSimpleCrossAttn""#), ("sample_size", "1e3"), ("norm_eps", "2"),
        ("cross_attention_dim", #""768""#),
    ])
    func refusesUNet(key: String, value: String) throws {
        var members = Self.unet
        members[key] = value
        let configuration = try Self.configuration(members)
        let error = #expect(throws: ConfigurationError.self) { try UNetConfiguration(configuration) }
        #expect(error?.key.hasPrefix(key) == true, "\(String(describing: error))")
    }

    @Test(arguments: [
        ("num_hidden_layers", "1000000000"), ("num_attention_heads", "7"), ("num_attention_heads", "0"),
        ("hidden_act", #""relu""#), ("hidden_size", "0"), ("vocab_size", "99999999999"),
        ("max_position_embeddings", "1"), ("max_position_embeddings", "2"),
        ("max_position_embeddings", "100000"),
    ])
    func refusesTextEncoder(key: String, value: String) throws {
        var members = ["hidden_size": "32", "num_attention_heads": "4"]
        members[key] = value
        let configuration = try Self.configuration(members)
        let error = #expect(throws: ConfigurationError.self) { try CLIPTextConfiguration(configuration) }
        #expect(error?.key == key)
    }

    @Test(arguments: [
        ("block_out_channels", "[]"), ("norm_num_groups", "5"), ("latent_channels", "0"),
        ("out_channels", "1"),
        ("down_block_types", #"["AttnDownEncoderBlock2D"]"#), ("scaling_factor", "0"), ("act_fn", #""relu""#),
    ])
    func refusesAutoencoder(key: String, value: String) throws {
        var members = ["block_out_channels": "[32]", "norm_num_groups": "8"]
        members[key] = value
        let configuration = try Self.configuration(members)
        let error = #expect(throws: ConfigurationError.self) { try AutoencoderConfiguration(configuration) }
        #expect(error?.key == key)
    }
}
