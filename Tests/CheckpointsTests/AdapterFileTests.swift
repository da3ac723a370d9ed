import Foundation
import Testing

@testable import Checkpoints

/// Adapters' files that someone made to take all memory.
@Suite struct AdapterFileTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func checkpoint(_ tensors: [String: [Int]]) throws -> Checkpoint {
        var end = 0
        let entries = tensors.sorted { $0.key < $1.key }.map { name, shape in
            let start = end
            end += shape.contains(0) ? 0 : 4 * shape.reduce(1, *)
            return "\"\(name)\":{\"dtype\":\"F32\",\"shape\":\(shape),\"data_offsets\":[\(start),\(end)]}"
        }
        let bytes = safetensors(
            "{" + entries.joined(separator: ",") + "}", data: [UInt8](repeating: 0x3F, count: end))
        return try Checkpoint(contentsOf: folder.write(bytes, to: "\(UUID().uuidString).safetensors"))
    }

    /// The rank's sizes are those of one weight, a matrix of 64×64.
    private func updates(_ tensors: [String: [Int]]) throws -> AdapterUpdates {
        let model = try checkpoint(["mid.proj.weight": [64, 64]])
        let named = Dictionary(
            uniqueKeysWithValues: tensors.map { ("lora_unet_mid_proj.\($0.key)", $0.value) })
        let adapter = try Adapter(contentsOf: URL(filePath: checkpoint(named).origin))
        return try adapter.updates(
            AdaptedNetworks(unet: model, unetNames: ModuleTable(), textEncoders: []))
    }

    @Test(arguments: [
        ["lora_down.weight": [4, 64], "lora_up.weight": [64, 4]],
        ["lora_mid.weight": [4, 4, 1, 1], "lora_down.weight": [4, 64], "lora_up.weight": [64, 4]],
        ["lokr_w1_a": [8, 2], "lokr_w1_b": [2, 8], "lokr_w2": [8, 8]],
    ])
    func whatFitsIsTaken(_ tensors: [String: [Int]]) throws {
        #expect(try updates(tensors).unknownLayers.isEmpty)
    }

    @Test(arguments: [
        ["lokr_w1_a": [5000, 1], "lokr_w1_b": [1, 5000], "lokr_w2": [1, 1]],
        ["lokr_w1": [1, 1], "lokr_w2_a": [5000, 1], "lokr_w2_b": [1, 5000]],
        ["lokr_w1": [2, 2], "lokr_t2": [5000, 1, 1, 1], "lokr_w2_a": [5000, 2], "lokr_w2_b": [1, 5000]],
        ["lora_mid.weight": [5000, 1, 1, 1], "lora_down.weight": [1, 64], "lora_up.weight": [64, 5000]],
        ["lora_mid.weight": [4, 1, 50, 50], "lora_down.weight": [1, 64], "lora_up.weight": [64, 4]],
        ["lora_down.weight": [0, 64], "lora_up.weight": [64, 0]],
        ["lokr_w1": [1 << 52, 0], "lokr_w2": [1 << 52, 0]],
    ])
    func matricesThatGrowAreRefused(_ tensors: [String: [Int]]) throws {
        let error = #expect(throws: AdapterError.self) { try updates(tensors) }
        guard case .incomplete(_, layer: "mid_proj", _)? = error else {
            Issue.record("\(tensors): \(error.map(\.description) ?? "nothing")")
            return
        }
    }

    /// As much is told of the file alone, so that inspecting it tells it.
    @Test(arguments: [
        ["lora_down.weight": [4, 64], "alpha": [1]], ["lora_up.weight": [64, 4]],
        ["hada_w1_a": [64, 4], "hada_w1_b": [4, 64], "hada_w2_a": [64, 4]],
        ["lokr_w1_a": [8, 2], "lokr_w2": [8, 8]], ["lokr_w1": [8, 8], "lokr_w2_b": [8, 8]],
        ["lora_down.weight": [4, 64], "lora_up.weight": [64, 3]],
    ])
    func aMatrixWithoutItsPartnerIsRefused(_ tensors: [String: [Int]]) throws {
        let named = Dictionary(
            uniqueKeysWithValues: tensors.map { ("lora_unet_other_proj.\($0.key)", $0.value) })
        let file = try URL(filePath: checkpoint(named).origin)
        let error = #expect(throws: AdapterError.self) { try Adapter(contentsOf: file).checkParts() }
        let text = "\(try #require(error))"
        #expect(
            text.contains("\"other_proj\": a part of its change, ")
                || text.contains("\"other_proj\": its matrices have ranks of 3 and 4"))
    }
}
