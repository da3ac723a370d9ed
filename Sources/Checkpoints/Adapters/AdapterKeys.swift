/// What a tensor of an adapter's file is: part of the change of a layer.
struct AdapterKey: Hashable {
    enum Part: Hashable {
        case down, up, middle, upBias
        /// Lengths of DoRA, along the axis that their shape shows; or one for each output.
        case alpha, magnitude, outputMagnitude
        case hadamard1Up, hadamard1Down, hadamard2Up, hadamard2Down, hadamard1Core, hadamard2Core
        case kronecker1, kronecker1Up, kronecker1Down, kronecker2, kronecker2Up, kronecker2Down,
            kronecker2Core
        case weightChange, biasChange
    }

    /// Which of the model's networks the layer is in.
    enum Network: Hashable, Sendable {
        case unet
        /// From 0.
        case textEncoder(Int)
    }

    /// Nil where the name does not say.
    let network: Network?
    /// The layer's path as the file has it, without the network's prefix.
    let path: String
    /// The layer's path with underscores for dots.
    let layer: String
    let part: Part

    /// What all names begin with in files of PEFT's own.
    static let prefixOfPEFT = "base_model.model."

    /// The endings of names, by which program wrote them: kohya's and OneTrainer's; PEFT's; diffusers' of several ages;
    /// LyCORIS'.
    private static let endings: [(String, Part)] = [
        (".lora_down.weight", .down), (".lora_up.weight", .up), (".lora_mid.weight", .middle),
        (".lora_A.weight", .down), (".lora_B.weight", .up), (".lora_A.default.weight", .down),
        (".lora_B.default.weight", .up), ("_lora.down.weight", .down), ("_lora.up.weight", .up),
        (".lora.down.weight", .down), (".lora.up.weight", .up), (".lora_linear_layer.down.weight", .down),
        (".lora_linear_layer.up.weight", .up), (".alpha", .alpha), (".dora_scale", .magnitude),
        (".lora_magnitude_vector", .outputMagnitude), (".lora_magnitude_vector.weight", .outputMagnitude),
        (".lora_magnitude_vector.default.weight", .outputMagnitude), (".lora_B.bias", .upBias),
        (".hada_w1_a", .hadamard1Up), (".hada_w1_b", .hadamard1Down), (".hada_w2_a", .hadamard2Up),
        (".hada_w2_b", .hadamard2Down), (".hada_t1", .hadamard1Core), (".hada_t2", .hadamard2Core),
        (".lokr_w1", .kronecker1), (".lokr_w1_a", .kronecker1Up), (".lokr_w1_b", .kronecker1Down),
        (".lokr_w2", .kronecker2), (".lokr_w2_a", .kronecker2Up), (".lokr_w2_b", .kronecker2Down),
        (".lokr_t2", .kronecker2Core), (".diff", .weightChange), (".diff_b", .biasChange),
        (".w_norm", .weightChange), (".b_norm", .biasChange),
    ]

    /// What names begin with: kohya's and LyCORIS'; diffusers'; ComfyUI's and OneTrainer's; PEFT's.
    private static let prefixes: [(String, Network?)] = [
        ("lora_unet_", .unet), ("lora_te_", .textEncoder(0)), ("lora_te1_", .textEncoder(0)),
        ("lora_te2_", .textEncoder(1)), ("lycoris_unet_", .unet), ("lycoris_te_", .textEncoder(0)),
        ("lycoris_te1_", .textEncoder(0)), ("lycoris_te2_", .textEncoder(1)), ("lycoris_", nil),
        ("unet.", .unet), ("text_encoder.", .textEncoder(0)), ("text_encoder_2.", .textEncoder(1)),
        ("diffusion_model.", .unet), ("text_encoders.clip_l.transformer.", .textEncoder(0)),
        ("text_encoders.clip_h.transformer.", .textEncoder(0)),
        ("text_encoders.clip_g.transformer.", .textEncoder(1)), ("lora_unet.", .unet),
        ("lora_te.", .textEncoder(0)), ("lora_te1.", .textEncoder(0)), ("lora_te2.", .textEncoder(1)),
        ("clip_l.", .textEncoder(0)), ("clip_g.", .textEncoder(1)),
        (prefixOfPEFT + "unet.", .unet), (prefixOfPEFT, nil),
    ]

    /// Parts of names that are those of other kinds of adapters.
    private static let otherKinds: [(String, String)] = [
        (".oft_blocks", "OFT"), (".oft_diag", "OFT"), (".oft_R", "OFT"), (".boft_", "BOFT"),
        (".a1.weight", "GLoRA"),
        (".b1.weight", "GLoRA"), (".on_input", "(IA)³"), (".ia3_l", "(IA)³"), (".lora_E", "AdaLoRA"),
        (".vera_lambda", "VeRA"), (".randlora_", "RandLoRA"),
    ]

    /// The kind of adapter that a tensor is of, where it is none of those that are known.
    static func otherKind(_ name: String) -> String? { otherKinds.first { name.contains($0.0) }?.1 }

    /// Layers' names in diffusers' older files, and now.
    private static let former: [(String, String)] = [
        ("_attn1_to_out", "_attn1_to_out_0"), ("_attn2_to_out", "_attn2_to_out_0"),
        ("_self_attn_to_q", "_self_attn_q_proj"), ("_self_attn_to_k", "_self_attn_k_proj"),
        ("_self_attn_to_v", "_self_attn_v_proj"), ("_self_attn_to_out", "_self_attn_out_proj"),
    ]

    /// - Returns: Nil for a tensor of nothing that changes a layer.
    init?(_ name: String) {
        guard let ending = Self.endings.filter({ name.hasSuffix($0.0) }).max(by: { $0.0.count < $1.0.count })
        else { return nil }
        part = ending.1
        var layer = String(name.dropLast(ending.0.count))
        let prefix = Self.prefixes.filter { layer.hasPrefix($0.0) }.max { $0.0.count < $1.0.count }
        network = prefix?.1
        path = String(layer.dropFirst(prefix?.0.count ?? 0))
        layer = path.split(separator: ".").filter { $0 != "processor" }.joined(separator: "_")
        for (old, new) in Self.former where layer.hasSuffix(old) {
            layer = layer.dropLast(old.count) + new
        }
        self.layer = layer
    }
}
