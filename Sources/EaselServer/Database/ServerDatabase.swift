import Foundation
import GRDB

/// The server's SQLite file, which one server has at a time.
///
/// Commits are on the disk when they return: write-ahead logging with `synchronous = FULL`.
final class ServerDatabase: Sendable {
    let pool: DatabasePool
    private let lock: FolderLock

    /// Opens the database of a folder, or makes it.
    ///
    /// - Throws: ``ServerStartError`` where another server has the folder, or where the file is damaged, which is then kept
    ///   under another name; `DatabaseError`.
    init(in folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        lock = try FolderLock(folder)
        let file = folder.appending(path: "easel.sqlite")
        do {
            pool = try Self.open(file)
        } catch let error as DatabaseError
            where [.SQLITE_CORRUPT, .SQLITE_NOTADB].contains(error.resultCode.primaryResultCode)
        {
            throw try Self.setAside(file, reason: "\(error.message ?? "it cannot be read")")
        }
    }

    private static func open(_ file: URL) throws -> DatabasePool {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(10)
        configuration.maximumReaderCount = 4
        configuration.prepareDatabase { database in
            try database.execute(sql: "PRAGMA synchronous = FULL")
            // In KiB, of each connection; what is not in it is in the system's cache of files.
            try database.execute(sql: "PRAGMA cache_size = -512")
        }
        let pool = try DatabasePool(path: file.path, configuration: configuration)
        let answer = try pool.read { try String.fetchOne($0, sql: "PRAGMA quick_check(1)") }
        guard answer == "ok" else { throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: answer) }
        // Opening in this mode sets it to NORMAL.
        try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        try Schema.migrator.migrate(pool)
        return pool
    }

    /// Puts all that was written into the one file, and closes it.
    func close() async throws {
        _ = try await pool.writeWithoutTransaction { try $0.checkpoint(.truncate) }
        try pool.close()
    }

    /// Takes a damaged file out of the way, with what belongs to it.
    private static func setAside(_ file: URL, reason: String) throws -> ServerStartError {
        let stamp = Int(Date().timeIntervalSince1970)
        let kept = file.deletingLastPathComponent().appending(path: "easel-damaged-\(stamp).sqlite")
        for ending in ["", "-wal", "-shm"] {
            let part = file.path + ending
            if FileManager.default.fileExists(atPath: part) {
                try FileManager.default.moveItem(atPath: part, toPath: kept.path + ending)
            }
        }
        return .damagedDatabase(file: file.path, kept: kept.path, reason: reason)
    }
}

/// A lock on a folder that the system takes back when the process ends, however it ends.
private final class FolderLock: Sendable {
    private let descriptor: Int32

    /// - Throws: ``ServerStartError/inUse(folder:)``.
    init(_ folder: URL) throws {
        let path = folder.appending(path: "easel.lock").path
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw ServerStartError.unwritable(folder: folder.path, reason: String(cString: strerror(errno)))
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw ServerStartError.inUse(folder: folder.path)
        }
    }

    deinit { close(descriptor) }
}

/// Why a server does not start.
public enum ServerStartError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Another server has the folder.
    case inUse(folder: String)
    /// The folder cannot be written to.
    case unwritable(folder: String, reason: String)
    /// The database cannot be read; it was put aside.
    case damagedDatabase(file: String, kept: String, reason: String)
    /// Others than this machine may connect, and there is no token.
    case tokenMissing(host: String)
    /// The address is taken, or not this machine's.
    case address(host: String, port: Int, reason: String)

    public var description: String {
        switch self {
        case .inUse(let folder):
            "another easel serve has the folder \(folder): end it first, or give another with --data-dir"
        case .unwritable(let folder, let reason):
            "\(folder) cannot be written to (\(reason)): give another with --data-dir"
        case .damagedDatabase(let file, let kept, let reason):
            "\(file) is damaged (\(reason)); it is kept as \(kept), and the next start begins a new one; "
                + "the pictures stay where they are"
        case .tokenMissing(let host):
            "--host \(host) lets other machines connect, and everyone on them could use this server: "
                + "give a --token, or EASEL_TOKEN, which clients must then know"
        case .address(let host, let port, let reason):
            "cannot listen on \(host):\(port): \(reason); give another --port or --host"
        }
    }
}
