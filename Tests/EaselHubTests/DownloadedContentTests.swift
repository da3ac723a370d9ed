import EaselHub
import Foundation
import Testing

/// Files from any address, of which nobody says what they should be, are told by what is in them.
@Suite struct DownloadedContentTests {
    private let tiny: TinyHub

    init() throws { tiny = try TinyHub() }

    /// Pulls what a server answers with these bytes, whatever it calls them.
    private func pull(_ name: String, _ body: [UInt8]) async throws -> URL {
        let reply = LocalServer.Reply(headers: ["Content-Type": "application/octet-stream"], body: body)
        tiny.mood.answers = [("/storage/", 2, reply)]
        let hub = tiny.hub()
        let url = try #require(URL(string: tiny.server.url("/storage/\(name)")))
        return try await hub.pull(url, to: hub.environment.ownFolder)
    }

    /// Why the bytes are refused, of which nothing is left.
    private func refusal(_ name: String, _ body: [UInt8]) async throws -> String {
        let error = await #expect(throws: HubError.self) { try await pull(name, body) }
        let left = try FileManager.default.contentsOfDirectory(atPath: tiny.hub().environment.ownFolder.path)
        #expect(left.isEmpty)
        return "\(try #require(error))"
    }

    @Test(
        arguments: [
            ("", "the answer is empty"), ("\n<!DOCTYPE html><p>Log in", "answers with a web page"),
            ("\u{FEFF}<!-- made by hand --><HTML>", "answers with a web page"),
            ("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 7\n", "Git LFS pointer"),
        ])
    func whatIsNoFileIsNotKept(_ body: String, _ reason: String) async throws {
        let told = try await refusal("v1.ckpt", Array(body.utf8))
        #expect(told.contains(reason), "\(told)")
    }

    @Test func aTextThatIsNoPageIsKept() async throws {
        let body = Array("{\"page\": \"<html>\"}".utf8)
        #expect(try await Data(contentsOf: pull("notes.json", body)) == Data(body))
    }

    @Test func aSafetensorsFileSaysHowLongItIs() async throws {
        let header = Array("{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}".utf8)
        let length = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) }
        let whole = length + header + [UInt8](repeating: 1, count: 16)
        for (bytes, reason) in [
            (Array(whole.dropLast(5)), "a tensor ends at the byte 16 behind its header, and 11 bytes came"),
            (Array(whole.prefix(20)), "its header is of \(header.count) bytes, and 20 bytes came"),
            (whole + [0, 0, 0], "3 bytes more came than its header says"),
        ] {
            let told = try await refusal("w.safetensors", bytes)
            #expect(told.contains(reason), "\(told)")
        }
        #expect(try await Data(contentsOf: pull("w.safetensors", whole)) == Data(whole))
    }
}
