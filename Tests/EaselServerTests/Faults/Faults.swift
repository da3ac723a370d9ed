import Foundation
import Testing

/// Faults of the system's calls that a server meets, begun and ended by the test: `faults.c` in front of the system's own
/// library, which Linux alone puts there.
final class Faults: Sendable {
    /// What `faults.c` reads, in its order.
    private enum Field: Int, CaseIterable {
        case failingOffset, isHalting, failsSyncs, refusedBytes, count
    }

    /// The folder whose files meet them.
    let folder: URL
    private let library: URL
    private nonisolated(unsafe) let fields: UnsafeMutablePointer<Int64>

    /// - Returns: Nil where there is no such way to put a library in front of others.
    init?(meeting folder: URL) throws {
        #if !os(Linux)
            return nil
        #else
            self.folder = folder
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            library = RunningServer.newFolder()
            try FileManager.default.createDirectory(at: library, withIntermediateDirectories: true)
            let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "faults.c")
            let compiler = Process()
            compiler.executableURL = URL(filePath: "/usr/bin/env")
            compiler.arguments = [
                "clang", "-shared", "-fPIC", "-fexceptions", "-O1", "-o",
                library.appending(path: "faults.so").path,
                source.path,
            ]
            try compiler.run()
            compiler.waitUntilExit()
            // Swift comes with it.
            try #require(compiler.terminationStatus == 0, "clang does not compile \(source.path)")
            let file = library.appending(path: "faults")
            let size = Field.allCases.count * MemoryLayout<Int64>.size
            try Data(count: size).write(to: file)
            let descriptor = open(file.path, O_RDWR)
            defer { close(descriptor) }
            let memory = try #require(mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0))
            try #require(memory != MAP_FAILED)
            fields = memory.bindMemory(to: Int64.self, capacity: Field.allCases.count)
            end()
        #endif
    }

    deinit { try? FileManager.default.removeItem(at: library) }

    /// What a server is started with, to meet them.
    var environment: [String: String] {
        [
            "LD_PRELOAD": library.appending(path: "faults.so").path,
            "EASEL_FAULTS_FILE": library.appending(path: "faults").path,
            "EASEL_FAULTS_FOLDER": folder.resolvingSymlinksInPath().path,
        ]
    }

    /// From a byte on, reading a file fails.
    func failReading(from offset: Int) { set(.failingOffset, Int64(offset)) }

    /// Reads and writes are short, or interrupted.
    func halt() { set(.isHalting, 1) }

    /// What is to be brought to the disk is not.
    func failSyncs() { set(.failsSyncs, 1) }

    /// The engine gets no memory of so many bytes and more.
    func refuseMemory(from bytes: Int) { set(.refusedBytes, Int64(bytes)) }

    /// All is as it should be again.
    func end() {
        set(.failingOffset, -1)
        for field in [Field.isHalting, .failsSyncs, .refusedBytes] { set(field, 0) }
    }

    /// How many there were.
    var count: Int { Int(fields[Field.count.rawValue]) }

    private func set(_ field: Field, _ value: Int64) { fields[field.rawValue] = value }
}
