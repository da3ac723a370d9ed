import AsyncHTTPClient
import Foundation
import WebFormats

/// What happens to a job.
public enum JobEvent: Sendable, Hashable {
    /// It waits.
    case queued
    case started
    /// The sampler has advanced, of so many steps of the picture that is made now.
    case step(Int, of: Int, progress: Double)
    /// What the picture is going to be: a JPEG file of a pixel a latent cell.
    case preview(Data)
    /// Something that the user should know.
    case warning(String)
    /// A picture is there.
    case picture(Picture)
    /// It is over, in whichever way; the last event.
    case ended(Job)
}

extension EaselClient {
    /// What happens to a job, from now until it is over. A connection that breaks is made again, and goes on where it was.
    ///
    /// - Throws: while iterating, ``EaselClientError`` where there is no such job, and what it was told last, or
    ///   `HTTPClientError`, where the server cannot be reached for half a minute.
    public func events(of id: String) -> AsyncThrowingStream<JobEvent, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    try await follow(id) { continuation.yield($0) }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func follow(_ id: String, tell: (JobEvent) -> Void) async throws {
        var (last, failures) = (String?.none, 0)
        while true {
            do {
                var parser = EventStreamParser()
                for try await part in try await stream("jobs/\(id)/events", lastEventID: last) {
                    failures = 0
                    let events = try parser.events(in: part.readableBytesView)
                    last = parser.lastEventID ?? last
                    for event in events {
                        guard let told = try JobEvent(event) else { continue }
                        tell(told)
                        if case .ended = told { return }
                    }
                }
            } catch let error as EaselClientError where !error.isPassing {
                throw error
            } catch let error as EventStreamError {
                throw EaselClientError.notUnderstood(reason: "\(error)")
            } catch {
                try Task.checkCancellation()
                failures += 1
                if failures > 15 { throw error }
            }
            try await Task.sleep(for: .seconds(2))
        }
    }
}

extension EaselClientError {
    /// Whether it says that the server, or a proxy before it, cannot answer just now.
    fileprivate var isPassing: Bool {
        guard case .refused(let status, _, _, _, _) = self else { return false }
        return (502...504).contains(status)
    }
}

extension JobEvent {
    /// - Returns: Nil for one that is of another version.
    /// - Throws: ``EaselClientError/notUnderstood(reason:)``.
    fileprivate init?(_ event: EventStreamParser.Event) throws {
        func decoded<Value: Decodable>(_ type: Value.Type) throws -> Value {
            do {
                return try JSONDecoder.snakeCase.decode(type, from: Data(event.data.utf8))
            } catch {
                throw EaselClientError.notUnderstood(reason: "\(error)")
            }
        }
        switch event.name {
        case "queued": self = .queued
        case "started": self = .started
        case "step":
            struct Step: Decodable { let step, steps: Int, progress: Double }
            let step = try decoded(Step.self)
            self = .step(step.step, of: step.steps, progress: step.progress)
        case "preview":
            struct Preview: Decodable { let image: String }
            let base64 = try decoded(Preview.self).image.split(separator: ",").last.map(String.init) ?? ""
            self = .preview(Data(base64Encoded: base64) ?? Data())
        case "warning":
            struct Warning: Decodable { let message: String }
            self = .warning(try decoded(Warning.self).message)
        case "picture": self = .picture(try decoded(Picture.self))
        case "done", "failed", "cancelled": self = .ended(try decoded(Job.self))
        default: return nil
        }
    }
}
