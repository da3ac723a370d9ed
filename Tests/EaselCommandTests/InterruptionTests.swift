import Foundation
import Testing

@Suite("Ctrl-C ends the tool soon, without leaving files", .serialized)
struct InterruptionTests {
    @Test func whileDenoising() async throws {
        let tool = try Tool()
        let clock = ContinuousClock()
        let wait = Duration.seconds(6)
        let start = clock.now
        let result = try await tool.run(
            [
                "a cat", "-m", Tool.model("tiny-sd1").path, "--steps", "999", "-W", "512", "-H", "512",
                "--json",
            ],
            interrupt: wait)
        #expect(start.duration(to: clock.now) - wait < .seconds(2))
        #expect(result.code == 130, "\(result.code) \(result.errors)")
        #expect(result.output == "")
        #expect(result.errors == "easel: interrupted\n")
        #expect(try tool.files == [])
    }

    @Test(arguments: [0, 10, 30, 100, 300])
    func soonAfterTheStart(_ milliseconds: Int) async throws {
        let tool = try Tool()
        let clock = ContinuousClock()
        let start = clock.now
        let result = try await tool.run(
            ["a cat", "-m", Tool.model("tiny-sd1").path, "--steps", "999", "-W", "512", "-H", "512"],
            interrupt: .milliseconds(milliseconds))
        #expect(start.duration(to: clock.now) < .seconds(3))
        #expect(result.code == 130, "\(result.code) \(result.errors)")
        #expect(try tool.files == [])
    }
}
