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
        let id = try #require(job)
        _ = try await server.post("/api/v1/jobs/\(id)/cancel")
        for answer in [try await waiting, try await server.ask(.POST, Self.path, json: long, headers: key)] {
            #expect(answer.status == 400 && answer.headers["x-should-retry"] == ["false"])
            #expect(try answer.text("error", "code") == "cancelled")
        }
        #expect(try await server.get("/api/v1/jobs").value("jobs")?.arrayValue?.count == 1)
        let other = try await server.ask(.POST, Self.path, json: #"{"prompt": "b"}"#, headers: key)
        #expect(other.status == 409)
    }

    @Test("A stream that is asked for again, under its key, has the pictures that were made")
    func streamOfWhatIsOver() async throws {
        let server = try await RunningServer()
        let body =
            #"{"prompt": "a", "n": 2, "stream": true, "partial_images": 1, "easel": {"steps": 30, "seed": 1}}"#
        let key = [("idempotency-key", "abc")]
        let streams = [
            try await server.ask(.POST, Self.path, json: body, headers: key).text,
            try await server.ask(.POST, Self.path, json: body, headers: key).text,
        ].map { $0.split(separator: "\n").filter { $0.hasPrefix("event: ") } }
        #expect(streams[0].contains { $0.hasSuffix("partial_image") })
        for events in streams { #expect(events.filter { $0.hasSuffix("completed") }.count == 2) }
        #expect(streams[1].count == 2)
        #expect(try await server.get("/api/v1/jobs").value("jobs")?.arrayValue?.count == 1)
    }

    @Test("Pictures come as base64 with models that send nothing else, and where an address needs the token")
    func base64() async throws {
        let open = try await RunningServer()
        let closed = try await RunningServer(["--token", "secret"])
        let token = [("authorization", "Bearer secret")]
        let encrypted = [("x-forwarded-proto", "https")]
        for (server, headers, model, format, scheme) in [
            (open, [], "dall-e-2", "", "http://"), (open, encrypted, "dall-e-2", "", "https://"),
            (open, [], "gpt-image-1", "", nil), (open, [], "gpt-image-1", "url", "http://"),
            (closed, token, "dall-e-2", "", nil), (closed, token, "dall-e-2", "url", "http://"),
        ] as [(RunningServer, [(String, String)], String, String, String?)] {
            let asked = format.isEmpty ? "" : #""response_format": "\#(format)", "#
            let body = #"{"prompt": "a", "model": "\#(model)", \#(asked)"easel": {"steps": 1, "seed": 1}}"#
            let answer = try await server.ask(.POST, Self.path, json: body, headers: headers)
            #expect(answer.status == 200, "\(answer.text.prefix(200))")
            let address = try answer.text("data", "0", "url")
            let bytes = try answer.text("data", "0", "b64_json")
            #expect((address == nil) == (scheme == nil) && (bytes == nil) == (scheme != nil), "\(body)")
            if let scheme { #expect(address?.hasPrefix(scheme) == true, "\(body)") }
        }
    }
}
