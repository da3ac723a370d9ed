import Foundation
import Testing

// The pictures asked for would take longer than `Tool` waits after the interruption.
@Suite("Ctrl-C ends the tool soon, without leaving files", .serialized)
struct InterruptionTests {
    @Test func whileDenoising() async throws {
        let tool = try Tool()
        let result = try await tool.run(
            [
                "a cat", "-m", Tool.model("tiny-sd1").path, "--steps", "999", "-W", "1024", "-H", "1024",
                "--json",
            ],
            interrupt: .seconds(6))
        #expect(result.code == 130, "\(result.code) \(result.errors)")
        #expect(result.output == "")
        #expect(result.errors == "easel: interrupted\n")
        #expect(try tool.files == [])
    }

    @Test(arguments: [0, 10, 30, 100, 300])
    func soonAfterTheStart(_ milliseconds: Int) async throws {
        let tool = try Tool()
        let result = try await tool.run(
            ["a cat", "-m", Tool.model("tiny-sd1").path, "--steps", "999", "-W", "1024", "-H", "1024"],
            interrupt: .milliseconds(milliseconds))
        #expect(result.code == 130, "\(result.code) \(result.errors)")
        #expect(try tool.files == [])
    }
}
