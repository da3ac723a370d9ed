import Foundation
import Testing

@Suite("easel bench")
struct BenchCommandTests {
    @Test func theTableAndTheLineHaveEveryFigure() async throws {
        let tool = try Tool()
        let words = [
            "bench", "-m", Tool.model("tiny-sd1").path, "--precision", "f32", "--size", "64x96", "--steps",
            "2",
            "--rounds", "1", "--threads", "1", "--memory", "balanced",
        ]
        let table = try await tool.run(words)
        #expect(table.code == 0, "\(table.errors)")
        for row in [
            "model", "machine", "work", "open the model", "load, to first step", "encode the prompts",
            "a step",
            "decode a picture", "most memory", "of the peak",
        ] {
            #expect(table.lines.contains { $0.hasPrefix(row + "  ") }, "\(row) of \(table.output)")
        }
        #expect(table.output.contains("64×96 pixels"))

        let line = try await tool.run(words + ["--json", "--cfg-scale", "1", "--batch-size", "2"])
        #expect(line.code == 0 && line.lines.count == 1, "\(line.errors)")
        let read = try JSONSerialization.jsonObject(with: Data(line.output.utf8)) as? [String: Any] ?? [:]
        for key in [
            "open_seconds", "load_seconds", "encode_seconds", "step_seconds", "decode_seconds",
            "peak_memory_bytes", "share_of_peak", "step_operations", "peak_operations_per_second",
        ] {
            #expect((read[key] as? Double).map { $0 > 0 } ?? false, "\(key) of \(line.output)")
        }
        #expect(read["width"] as? Int == 64 && read["height"] as? Int == 96)
        #expect(read["threads"] as? Int == 1 && read["batch_size"] as? Int == 2)
        #expect(read["is_guided"] as? Bool == false && read["memory"] as? String == "balanced")
        #expect(try tool.files.isEmpty)
    }

    @Test(arguments: [
        (["--size", "100"], "100"), (["--size", "64x"], "64x"), (["--size", "64x64x64"], "64x64x64"),
        (["--steps", "0"], "steps 0"), (["--rounds", "0"], "rounds 0"), (["--batch-size", "65"], "65"),
        (["--threads", "0"], "--threads 0"), (["--cfg-scale", "nan"], "--cfg-scale"),
    ])
    func wrongWordsAreRefused(_ words: [String], _ named: String) async throws {
        let tool = try Tool()
        let result = try await tool.run(["bench", "-m", Tool.model("tiny-sd1").path] + words)
        #expect(result.code == 64)
        #expect(result.errors.contains(named), "\(result.errors)")
    }
}
