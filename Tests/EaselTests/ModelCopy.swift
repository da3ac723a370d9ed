import Checkpoints
import Foundation
import TensorGraph
import Testing

/// A copy of a tiny model in a folder of its own, to be damaged; removed when released.
final class ModelCopy {
    let folder: URL

    init(of tiny: TinyModel) throws {
        folder = FileManager.default.temporaryDirectory.appending(
            path: "easel-model-\(UInt64.random(in: 0...UInt64.max))")
        try FileManager.default.copyItem(at: tiny.folder, to: folder)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func file(_ path: String) -> URL { folder.appending(path: path) }

    func remove(_ path: String) throws { try FileManager.default.removeItem(at: file(path)) }

    func write(_ text: String, to path: String) throws { try Data(text.utf8).write(to: file(path)) }

    /// Sets values of a component's configuration, or another JSON file; nil takes a key away.
    func set(_ path: String, _ values: [String: Any?]) throws {
        let data = try Data(contentsOf: file(path))
        var object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
        for (key, value) in values { object[key] = value }
        try JSONSerialization.data(withJSONObject: object).write(to: file(path))
    }

    /// Changes a safetensors file: its header as JSON, and the bytes behind it.
    func rewrite(_ path: String, _ change: (inout [String: Any], inout Data) throws -> Void) throws {
        let data = try Data(contentsOf: file(path))
        let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        var header = try #require(
            JSONSerialization.jsonObject(with: data.dropFirst(8).prefix(length)) as? [String: Any])
        var values = Data(data.dropFirst(8 + length))
        try change(&header, &values)
        var json = try JSONSerialization.data(withJSONObject: header, options: .sortedKeys)
        while json.count % 8 != 0 { json.append(UInt8(ascii: " ")) }
        let count = withUnsafeBytes(of: UInt64(json.count).littleEndian) { Data($0) }
        try (count + json + values).write(to: file(path))
    }

    /// Overwrites the first value of an f32 tensor.
    func set(_ tensor: String, in path: String, to value: Float) throws {
        try rewrite(path) { header, values in
            let entry = try #require(header[tensor] as? [String: Any], "no \(tensor)")
            let offsets = try #require(entry["data_offsets"] as? [Int])
            withUnsafeBytes(of: value.bitPattern.littleEndian) {
                values.replaceSubrange(offsets[0]..<offsets[0] + 4, with: $0)
            }
        }
    }
}

let unetWeights = "unet/diffusion_pytorch_model.safetensors"
let autoencoderWeights = "vae/diffusion_pytorch_model.safetensors"
let textEncoderWeights = "text_encoder/model.safetensors"
