import Foundation
import Imaging
import Testing

@Suite("Models of few steps, from the command line")
struct DistilledModelTests {
    private func tool(_ model: String) throws -> Tool {
        let tool = try Tool()
        try FileManager.default.copyItem(at: Tool.model("tiny-sd1"), to: tool.file(model))
        return tool
    }

    private func made(_ tool: Tool, _ arguments: String...) async throws -> ToolResult {
        let result = try await tool.run(
            ["a cat", "-s", "1", "-W", "64", "-H", "64", "--precision", "f32", "--json"] + arguments)
        #expect(result.code == 0, "\(result.errors)")
        return result
    }

    @Test func theirNameSaysTheSettings() async throws {
        let model = "tiny-lightning-2step"
        let tool = try tool(model)
        let named = try await made(tool, "-m", model, "-o", "named.png")
        for part in [
            "\"steps\":2", "\"guidance_scale\":1", "\"sampler\":\"euler\"", "\"warnings\":[]",
        ] { #expect(named.output.contains(part), "\(named.output)") }
        // The same as with all options, on a model whose name says nothing.
        _ = try await made(
            tool, "-m", Tool.model("tiny-sd1").path, "--steps", "2", "--cfg-scale", "1", "--sampler", "euler",
            "--timestep-spacing", "trailing", "-o", "plain.png")
        #expect(
            try Image(contentsOf: tool.file("named.png")) == Image(contentsOf: tool.file("plain.png")))
        let usual = try await made(tool, "-m", Tool.model("tiny-sd1").path, "--steps", "1", "-o", "usual.png")
        #expect(usual.output.contains("\"guidance_scale\":7.5"), "\(usual.output)")
    }

    @Test func optionsWin() async throws {
        let model = "tiny-dmd2-4step"
        let tool = try tool(model)
        let own = try await made(tool, "-m", model, "-o", "own.png")
        #expect(
            own.output.contains("\"sampler\":\"lcm\"") && own.output.contains("\"steps\":4"), "\(own.output)")
        let steps = try await made(tool, "-m", model, "--steps", "6", "--fast", "-o", "steps.png")
        #expect(steps.output.contains("\"steps\":6") && steps.output.contains("\"sampler\":\"lcm\""))
        #expect(!steps.output.contains("\"cache\""))
        let record = try await tool.run("inspect", "steps.png", "--json")
        #expect(!record.output.contains("\"timesteps\""), "\(record.output)")
        let others = try await made(
            tool, "-m", model, "--steps", "20", "--cfg-scale", "7.5", "--sampler", "dpmpp-2m", "-o",
            "others.png")
        for part in ["\"steps\":20", "\"guidance_scale\":7.5", "\"sampler\":\"dpmpp-2m\"", "says dmd2"] {
            #expect(others.output.contains(part), "\(others.output)")
        }
        // A picture's settings are all there are.
        let again = try await tool.run(
            "--from", "others.png", "-m", model, "--precision", "f32", "--json", "-o", "again.png")
        #expect(again.output.contains("\"steps\":20"), "\(again.output)")
        #expect(try Image(contentsOf: tool.file("again.png")) == Image(contentsOf: tool.file("others.png")))
        // Each cell of a table has its own.
        let table = try await made(
            tool, "-m", model, "--sweep", "sampler=lcm,euler", "--sweep", "steps=1,2", "-o", "table/")
        #expect(table.output.components(separatedBy: "seed").count > 4, "\(table.output)")
    }

    @Test func aLoRAsNameDoesToo() async throws {
        let tool = try Tool()
        try FileManager.default.createDirectory(at: tool.file("loras"), withIntermediateDirectories: true)
        try lora().write(to: tool.file("loras/lcm-lora-sdv1-5.safetensors"))
        let result = try await tool.run(
            "a cat <lora:lcm-lora-sdv1-5>", "--lora-dir", "loras", "-m", Tool.model("tiny-sd1").path, "-s",
            "1",
            "--precision", "f32", "--json", "-o", "one.png")
        #expect(result.code == 0, "\(result.errors)")
        for part in ["\"steps\":4", "\"guidance_scale\":1", "\"sampler\":\"lcm\""] {
            #expect(result.output.contains(part), "\(result.output)")
        }
    }

    /// A LoRA of one layer that all models of Stable Diffusion 1 have, whatever its sizes: its text encoder's first bias.
    private func lora() throws -> Data {
        let configuration = try JSONSerialization.jsonObject(
            with: Data(contentsOf: Tool.model("tiny-sd1").appending(path: "text_encoder/config.json")))
        let width = try #require((configuration as? [String: Any])?["hidden_size"] as? Int)
        let name = "lora_te_text_model_encoder_layers_0_self_attn_q_proj.diff_b"
        let header = #"{"\#(name)":{"dtype":"F32","shape":[\#(width)],"data_offsets":[0,\#(4 * width)]}}"#
        let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
        return length + Data(header.utf8) + Data(count: 4 * width)
    }
}
