import Foundation
import Testing

/// What OpenAI's clients are told, beyond what `make test-clients` asks.
@Suite struct OpenAITests {
    private static let path = "/v1/images/generations"

    @Test("A job that is cancelled is not asked for again, and one key hands a request in once")
    func retries() async throws {
        let server = try await RunningServer()
        let key = [("idempotency-key", "abc")]
        let long = #"{"prompt": "a", "n": 10, "easel": {"steps": 150}}"#
        async let waiting = server.ask(.POST, Self.path, json: long, headers: key)
        var job: String?
        while job == nil { job = try await server.get("/api/v1/jobs").text("jobs", "0", "id") }
        _ = try await server.post("/api/v1/jobs/\(try #require(job))/cancel")
        for answer in [try await waiting, try await server.ask(.POST, Self.path, json: long, headers: key)] {
            #expect(answer.status == 400 && answer.headers["x-should-retry"] == ["false"])
            #expect(try answer.text("error", "code") == "cancelled")
        }
        #expect(try await server.get("/api/v1/jobs").value("jobs")?.arrayValue?.count == 1)
        let other = try await server.ask(.POST, Self.path, json: #"{"prompt": "b"}"#, headers: key)
        #expect(other.status == 409)
    }
}
