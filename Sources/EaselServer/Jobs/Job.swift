import Foundation
import GRDB

/// One request for pictures, from its acceptance on.
struct Job: Sendable, Hashable {
    enum State: String, Sendable, Codable, CaseIterable, DatabaseValueConvertible {
        case queued, running, done, failed, cancelled

        var isOver: Bool { self != .queued && self != .running }
    }

    /// Which API it came by.
    enum Origin: String, Sendable, Codable, DatabaseValueConvertible { case easel, a1111, openai }

    /// Why it failed.
    struct Failure: Sendable, Hashable, Codable {
        let code: String
        let message: String
    }

    /// Sorts by the time of acceptance.
    let id: String
    let created: Date
    /// Who asked: clients get their turns one after another.
    let client: String
    let api: Origin
    let settings: JobSettings
    var priority: Int
    /// Within a priority, what is lower comes first.
    var place: Double
    var state: State
    /// How many times it was begun.
    var attempts: Int
    var started: Date?
    var finished: Date?
    var failure: Failure?
    var warnings: [String]
    /// In seconds, by stage.
    var timings: [String: Double]

    /// The number of pictures.
    var count: Int { settings.count ?? 1 }

    init(settings: JobSettings, client: String, api: Origin) {
        created = Date()
        id = Self.newID(at: created)
        self.client = client
        self.api = api
        self.settings = settings
        priority = settings.priority ?? 0
        place = 0
        state = .queued
        attempts = 0
        warnings = []
        timings = [:]
    }

    /// 48 bits of milliseconds and 64 of chance, in hexadecimal.
    private static func newID(at date: Date) -> String {
        let milliseconds = UInt64(date.timeIntervalSince1970 * 1000)
        return String(format: "%012llx%016llx", milliseconds, UInt64.random(in: 0...UInt64.max))
    }
}

extension Job: FetchableRecord, PersistableRecord {
    static let databaseTableName = "job"

    init(row: Row) throws {
        func date(_ column: String) -> Date? {
            (row[column] as Double?).map(Date.init(timeIntervalSince1970:))
        }
        func decoded<T: Decodable>(_ column: String, _ type: T.Type) throws -> T {
            try JSONDecoder().decode(type, from: Data((row[column] as String).utf8))
        }
        id = row["id"]
        created = Date(timeIntervalSince1970: row["created"])
        client = row["client"]
        api = row["api"]
        settings = try decoded("settings", JobSettings.self)
        priority = row["priority"]
        place = row["place"]
        state = row["state"]
        attempts = row["attempts"]
        started = date("started")
        finished = date("finished")
        failure = (row["errorCode"] as String?).map { Failure(code: $0, message: row["errorMessage"] ?? "") }
        warnings = try decoded("warnings", [String].self)
        timings = try decoded("timings", [String: Double].self)
    }

    func encode(to container: inout PersistenceContainer) throws {
        func encoded(_ value: some Encodable) throws -> String {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        }
        container["id"] = id
        container["created"] = created.timeIntervalSince1970
        container["client"] = client
        container["api"] = api
        container["settings"] = try encoded(settings)
        container["priority"] = priority
        container["place"] = place
        container["state"] = state
        container["attempts"] = attempts
        container["started"] = started?.timeIntervalSince1970
        container["finished"] = finished?.timeIntervalSince1970
        container["errorCode"] = failure?.code
        container["errorMessage"] = failure?.message
        container["warnings"] = try encoded(warnings)
        container["timings"] = try encoded(timings)
    }
}
