import AsyncHTTPClient
import EaselClient
import Foundation
import Imaging
import Testing

/// The Swift client with a real server.
@Suite struct ClientTests {
    @Test func aJobFromBeginningToEnd() async throws {
        let server = try await RunningServer(environment: ["EASEL_TOKEN": "secret"])
        let address = try #require(URL(string: "http://127.0.0.1:\(server.port)"))
        let client = EaselClient(at: address, token: "secret")
        #expect(try await client.models() == ["demo"])
        var request = JobRequest(prompt: "a red apple on a yellow background", steps: 3, seed: 4, count: 2)
        let job = try await client.submit(request, key: "once")
        #expect(try await client.submit(request, key: "once").id == job.id)
        var (pictures, steps, previews, last) = ([Picture](), 0, 0, JobEvent?.none)
        for try await event in client.events(of: job.id) {
            switch event {
            case .picture(let picture): pictures.append(picture)
            case .step(_, let count, _): steps += count == 3 ? 1 : 0
            case .preview(let bytes): previews += PictureFormat(bytes) == .jpeg ? 1 : 0
            default: break
            }
            last = event
        }
        guard case .ended(let ended) = last else {
            Issue.record("the last event is \(String(describing: last))")
            return
        }
        #expect(ended.state == .done && ended.pictures == pictures)
        #expect(pictures.count == 2 && steps == 6 && previews == 6)
        #expect(try await client.pictures(search: "appl").map(\.id) == pictures.map(\.id).reversed())
        let file = try await client.file(of: pictures[0])
        let picture = try PictureFile(reading: file, named: "the picture")
        #expect(picture.image.width == 128)

        request.initImage = try await client.upload(file)
        (request.strength, request.count, request.steps) = (0.5, 1, 150)
        let long = try await client.submit(request)
        #expect(try await client.cancel(long.id).state == .cancelled)
        #expect(try await client.jobs([.cancelled]).map(\.id) == [long.id])
    }

    @Test func whatTheServerRefuses() async throws {
        let server = try await RunningServer(environment: ["EASEL_TOKEN": "secret"])
        let address = try #require(URL(string: "http://127.0.0.1:\(server.port)"))
        await #expect(throws: EaselClientError.self) {
            _ = try await EaselClient(at: address, token: "wrong").models()
        }
        for port in [0, 99_999] {
            let nowhere = try #require(URL(string: "http://127.0.0.1:\(port)"))
            await #expect(throws: HTTPClientError.invalidURL) {
                _ = try await EaselClient(at: nowhere).models()
            }
        }
        let client = EaselClient(at: address, token: "secret")
        do {
            _ = try await client.submit(JobRequest(prompt: "a", steps: 0))
            Issue.record("0 steps are taken")
        } catch EaselClientError.refused(let status, let code, _, let field, _) {
            #expect(status == 400 && code == "invalid" && field == "steps")
        }
        await #expect(throws: EaselClientError.self) {
            for try await _ in client.events(of: "no-such-job") {}
        }
    }

    /// With connections of its own.
    private static let http = HTTPClient(eventLoopGroupProvider: .singleton)

    @Test("Events that a server without free connections does not tell are asked for again")
    func busyServer() async throws {
        let server = try await RunningServer(descriptors: 128)
        let address = try #require(URL(string: "http://127.0.0.1:\(server.port)"))
        let job = try await server.job(#"{"prompt": "a", "steps": 150, "count": 60}"#)
        let client = EaselClient(at: address, http: Self.http)
        let others = (0..<60).compactMap { _ in try? OpenConnection(server.port) }
        for other in others { _ = other.ask("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") }
        await #expect(throws: EaselClientError.self) { _ = try await client.job(job) }
        func lastEvent() async throws -> JobEvent? {
            var last: JobEvent?
            for try await event in client.events(of: job) { last = event }
            return last
        }
        async let last = lastEvent()
        try await Task.sleep(for: .milliseconds(500))
        for other in others { other.close() }
        try await Task.sleep(for: .milliseconds(500))
        #expect(try await server.post("/api/v1/jobs/\(job)/cancel").text("state") == "cancelled")
        guard case .ended(let ended) = try await last else {
            Issue.record("the last event is not the job's end")
            return
        }
        #expect(ended.state == .cancelled)
    }
}
