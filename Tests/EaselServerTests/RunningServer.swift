import AsyncHTTPClient
import Checkpoints
import Foundation
import NIOCore
import NIOHTTP1

/// `easel serve` as it was built, on a free port, with a folder of its own that is removed when this is released.
final class RunningServer: Sendable {
    let folder: URL
    let port: Int
    private let process: Process
    private let ownsFolder: Bool

    static let executable: URL = {
        #if os(macOS)
            let tests = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }!.bundleURL
        #else
            let tests = Bundle.main.executableURL!
        #endif
        return tests.deletingLastPathComponent().appending(path: "easel")
    }()

    /// The demo model's folder.
    static var demoModel: URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Models/demo")
    }

    struct NotStarted: Error { let output: String }

    /// As many connections as a test wants.
    private static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration.singletonConfiguration
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 4000
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    static func newFolder() -> URL {
        FileManager.default.temporaryDirectory.appending(
            path: "easel-server-\(UInt64.random(in: 0...UInt64.max))")
    }

    /// - Parameters:
    ///   - folder: One that outlasts the server.
    ///   - descriptors: How many descriptors it may have; nil for as many as this process.
    init(
        _ options: [String] = [], folder: URL? = nil, environment: [String: String] = [:],
        descriptors: Int? = nil
    ) async throws {
        self.folder = folder ?? Self.newFolder()
        ownsFolder = folder == nil
        process = Process()
        process.executableURL = Self.executable
        process.arguments =
            ["serve", "--port", "0", "--data-dir", self.folder.path, "--precision", "f32"] + options
        if let descriptors {
            process.arguments =
                ["-c", "ulimit -n \(descriptors); exec \"$0\" \"$@\"", Self.executable.path]
                + process.arguments!
            process.executableURL = URL(filePath: "/bin/bash")
        }
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let line = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                var text = ""
                while !text.contains("\n") {
                    let data = output.fileHandleForReading.availableData
                    if data.isEmpty { break }
                    text += String(decoding: data, as: UTF8.self)
                }
                continuation.resume(returning: text)
            }
        }
        guard let match = line.firstMatch(of: /:(\d+)\//), let port = Int(match.1) else {
            process.terminate()
            throw NotStarted(output: line)
        }
        self.port = port
    }

    deinit {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        if ownsFolder { try? FileManager.default.removeItem(at: folder) }
    }

    /// Sends a signal and waits for the end.
    ///
    /// - Returns: The exit code; 128 and the signal's number where a signal ended it.
    func end(_ number: Int32 = SIGTERM) async -> Int32 {
        kill(process.processIdentifier, number)
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [process] in
                process.waitUntilExit()
                continuation.resume()
            }
        }
        return (process.terminationReason == .uncaughtSignal ? 128 : 0) + process.terminationStatus
    }

    /// In bytes.
    var residentMemory: Int {
        let text =
            (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/statm", encoding: .utf8)) ?? ""
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
    }

    /// By how many bytes that grows while work is done.
    func memoryGrown(_ work: () async throws -> Void) async rethrows -> Int {
        let before = residentMemory
        try await work()
        return residentMemory - before
    }

    struct Answer: Sendable {
        let status: UInt
        let headers: HTTPHeaders
        let body: [UInt8]

        var text: String { String(decoding: body, as: UTF8.self) }
        var json: JSONValue {
            get throws { try JSONValue(parsing: body, named: "the answer") }
        }

        /// What is at a path of keys and indices.
        func value(_ path: String...) throws -> JSONValue? {
            var value: JSONValue? = try json
            for step in path {
                guard let current = value else { return .none }
                if let index = Int(step) {
                    let array = current.arrayValue ?? []
                    value = array.indices.contains(index) ? array[index] : .none
                } else {
                    value = current.objectValue?[step]
                }
            }
            return value
        }

        func text(_ path: String...) throws -> String? {
            var value: JSONValue? = try json
            for step in path {
                guard let current = value else { return nil }
                if let index = Int(step) {
                    let array = current.arrayValue ?? []
                    value = array.indices.contains(index) ? array[index] : .none
                } else {
                    value = current.objectValue?[step]
                }
            }
            return value?.stringValue ?? value?.numberValue?.text ?? value?.boolValue.map { String($0) }
        }
    }

    /// Asks for a path.
    ///
    /// - Parameter json: The body, said to be JSON.
    func ask(
        _ method: HTTPMethod, _ path: String, json: String? = nil, bytes: [UInt8]? = nil,
        headers: [(String, String)] = []
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = method
        if let json {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: json))
        }
        if let bytes { request.body = .bytes(ByteBuffer(bytes: bytes)) }
        for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
        let response = try await Self.client.execute(request, timeout: .seconds(120))
        let body = try await response.body.collect(upTo: 64 << 20)
        return Answer(
            status: response.status.code, headers: response.headers, body: Array(body.readableBytesView))
    }

    func get(_ path: String) async throws -> Answer { try await ask(.GET, path) }

    func post(_ path: String, _ json: String = "{}") async throws -> Answer {
        try await ask(.POST, path, json: json)
    }

    /// Hands a job in.
    ///
    /// - Returns: Its identifier.
    func job(_ json: String, client: String? = nil) async throws -> String {
        let answer = try await ask(
            .POST, "/api/v1/jobs", json: json, headers: client.map { [("Easel-Client", $0)] } ?? [])
        guard answer.status == 201, let id = try answer.text("id") else {
            throw NotStarted(output: "\(answer.status): \(answer.text)")
        }
        return id
    }

    /// A job when it is over.
    func ended(_ job: String) async throws -> Answer {
        while true {
            let answer = try await get("/api/v1/jobs/\(job)")
            let state = try answer.text("state")
            if answer.status != 200 || ["done", "failed", "cancelled"].contains(state) { return answer }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// The events of a stream until one of a name, or its end.
    func events(_ path: String, until name: String, lastID: String? = nil) async throws
        -> [(id: String, name: String, data: String)]
    {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        if let lastID { request.headers.add(name: "last-event-id", value: lastID) }
        let response = try await Self.client.execute(request, timeout: .seconds(120))
        var (text, events) = ("", [(id: String, name: String, data: String)]())
        for try await part in response.body {
            text += String(buffer: part)
            while let end = text.range(of: "\n\n") {
                var (id, event, data) = ("", "", "")
                for line in text[..<end.lowerBound].split(separator: "\n") {
                    if line.hasPrefix("id: ") { id = String(line.dropFirst(4)) }
                    if line.hasPrefix("event: ") { event = String(line.dropFirst(7)) }
                    if line.hasPrefix("data: ") { data = String(line.dropFirst(6)) }
                }
                text = String(text[end.upperBound...])
                if !event.isEmpty { events.append((id, event, data)) }
                if event == name { return events }
            }
        }
        return events
    }
}

/// Bytes over a connection, as no client would send them.
enum RawConnection {
    struct Failed: Error { let what: String }

    /// Sends parts with pauses between, and reads until the server closes, or the time is over.
    static func exchange(
        _ port: Int, _ parts: [[UInt8]], pause: Duration = .zero, patience: Duration = .seconds(5)
    ) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try blockingExchange(port, parts, pause, patience) })
            }
        }
    }

    static func exchange(_ port: Int, _ text: String, patience: Duration = .seconds(5)) async throws -> String
    {
        try await exchange(port, [Array(text.utf8)], patience: patience)
    }

    private static func blockingExchange(
        _ port: Int, _ parts: [[UInt8]], _ pause: Duration, _ patience: Duration
    ) throws -> String {
        let connection = try OpenConnection(port, patience: patience)
        defer { connection.close() }
        let descriptor = connection.descriptor
        for part in parts {
            let sent = part.withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if sent < 0 { break }
            if pause > .zero { usleep(UInt32(pause / .microseconds(1))) }
        }
        let start = ContinuousClock.now
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while start.duration(to: .now) < patience {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            answer += buffer[..<count]
        }
        return String(decoding: answer, as: UTF8.self)
    }
}

/// A connection that stays open.
final class OpenConnection {
    let descriptor: Int32
    private var isOpen = true

    /// - Parameter patience: How long an answer is waited for.
    init(_ port: Int, patience: Duration = .seconds(5)) throws {
        #if os(Linux)
            let stream = Int32(SOCK_STREAM.rawValue)
        #else
            let stream = SOCK_STREAM
        #endif
        descriptor = socket(AF_INET, stream, 0)
        guard descriptor >= 0 else { throw RawConnection.Failed(what: "socket") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else {
            close()
            throw RawConnection.Failed(what: "connect")
        }
        var limit = timeval(tv_sec: Int(patience.components.seconds), tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close() }

    /// Sends a text, and reads the first of the answer.
    func ask(_ text: String) -> String {
        let bytes = Array(text.utf8)
        guard send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { return "" }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        return String(decoding: buffer[..<max(recv(descriptor, &buffer, buffer.count, 0), 0)], as: UTF8.self)
    }

    func close() {
        guard isOpen else { return }
        isOpen = false
        Foundation.close(descriptor)
    }
}
