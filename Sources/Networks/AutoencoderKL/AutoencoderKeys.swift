/// The names that diffusers gave the autoencoder's attention before version 0.18, and what they are now.
///
/// Stable Diffusion 1.x's own folders still have them.
public let formerAutoencoderNames: [String: String] = {
    let renamed = [("query", "to_q"), ("key", "to_k"), ("value", "to_v"), ("proj_attn", "to_out.0")]
    var table: [String: String] = [:]
    for half in ["encoder", "decoder"] {
        for (old, new) in renamed {
            for kind in ["weight", "bias"] {
                let scope = "\(half).mid_block.attentions.0"
                table["\(scope).\(old).\(kind)"] = "\(scope).\(new).\(kind)"
            }
        }
    }
    return table
}()
