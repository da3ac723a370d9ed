import Foundation
import Synchronization
import Testing

/// What a run of the tool left behind.
struct ToolResult: Sendable {
    /// The exit code; 128 and the signal's number where a signal ended it, as a shell says it.
    let code: Int32
    let output: String
    let errors: String

    var lines: [String] { output.split(separator: "\n").map(String.init) }
}

/// The built tool, run in a folder of its own that is removed when this is released.
final class Tool: Sendable {
    let folder: URL

    /// The folder of what was built, where the tests are too.
    static let executable: URL = {
        #if os(macOS)
            let tests = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }!.bundleURL
        #else
            let tests = Bundle.main.executableURL!
        #endif
        return tests.deletingLastPathComponent().appending(path: "easel")
    }()

    static func model(_ name: String) -> URL {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Golden/models/\(name)")
    }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(
            path: "easel-tool-\(UInt64.random(in: 0...UInt64.max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// The names of all that is in the folder, hidden files too.
    var files: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }
    }

    func file(_ name: String) -> URL { folder.appending(path: name) }

    /// Makes a small picture with a tiny model in a step; more arguments follow.
    func generate(_ arguments: String..., environment: [String: String] = [:]) async throws -> ToolResult {
        try await run(
            ["-m", Self.model("tiny-sd1").path, "--steps", "1", "--precision", "f32"] + arguments,
            environment: environment)
    }

    func run(_ arguments: String...) async throws -> ToolResult { try await run(arguments) }

    /// Runs the tool, or another program, in the folder.
    ///
    /// - Parameters:
    ///   - interrupt: When to send SIGINT, after the start.
    ///   - isReady: What is waited for besides.
    ///   - signalNumber: What is sent in SIGINT's place.
    func run(
        _ arguments: [String], program: URL = Tool.executable, environment: [String: String] = [:],
        interrupt: Duration? = nil, isReady: @escaping @Sendable () -> Bool = { true },
        signalNumber: Int32 = SIGINT
    ) async throws -> ToolResult {
        // Files, not pipes, which would fill.
        let captured = FileManager.default.temporaryDirectory.appending(
            path: "easel-output-\(UInt64.random(in: 0...UInt64.max))")
        try FileManager.default.createDirectory(at: captured, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: captured) }
        func capture(_ name: String) throws -> FileHandle {
            let file = captured.appending(path: name)
            try Data().write(to: file)
            return try FileHandle(forWritingTo: file)
        }
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try capture("output")
        process.standardError = try capture("errors")
        let (ended, end) = AsyncStream.makeStream(of: Void.self)
        process.terminationHandler = { _ in end.finish() }
        try process.run()
        let identifier = process.processIdentifier
        let watch = Task {
            if let interrupt {
                try await Task.sleep(for: interrupt)
                while !isReady() { try await Task.sleep(for: .milliseconds(5)) }
                kill(identifier, signalNumber)
            }
            // A tool that hangs would hang the tests.
            try await Task.sleep(for: .seconds(300))
            kill(identifier, SIGKILL)
        }
        for await _ in ended {}
        watch.cancel()
        func text(_ name: String) throws -> String {
            String(decoding: try Data(contentsOf: captured.appending(path: name)), as: UTF8.self)
        }
        let signal: Int32 = process.terminationReason == .uncaughtSignal ? 128 : 0
        return ToolResult(
            code: signal + process.terminationStatus, output: try text("output"),
            errors: try text("errors"))
    }
}
