import Foundation
import Testing

@testable import EaselServer

/// Which jobs are taken from the queue.
@Suite struct JobClaimTests {
    @Test("Several are taken only as the next ones, in the queue's order; then each client was served")
    func claimingSeveral() async throws {
        let folder = RunningServer.newFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let database = try ServerDatabase(in: folder)
        let store = JobStore(database.pool)
        func accept(_ prompt: String, _ client: String, priority: Int = 0) async throws -> String {
            var settings = JobSettings(prompt: prompt)
            settings.priority = priority
            let job = Job(settings: settings, client: client, api: .easel)
            _ = try await store.accept(job, key: nil, limits: ServerLimits(), secondsLeft: 0)
            return job.id
        }
        let a = [try await accept("1", "a"), try await accept("2", "a"), try await accept("3", "a")]
        let b = [try await accept("4", "b"), try await accept("5", "b")]
        #expect(try await store.claim()?.id == a[0])
        #expect(try await store.next(3).map(\.id) == [b[0], a[1], b[1]])
        // None of them where one is not next.
        #expect(try await store.claim(next: [a[1], b[0]]) == nil)
        #expect(try await store.claim(next: [b[0], b[1]]) == nil)
        let urgent = try await accept("6", "c", priority: 1)
        #expect(try await store.claim(next: [b[0], a[1]]) == nil)
        #expect(try await store.queue() == [urgent, b[0], a[1], b[1], a[2]])
        #expect(try await store.claim()?.id == urgent)
        let taken = try #require(try await store.claim(next: [b[0], a[1], b[1]]))
        #expect(taken.map(\.id) == [b[0], a[1], b[1]])
        #expect(taken.allSatisfy { $0.state == .running && $0.attempts == 1 && $0.started != nil })
        // Both were served at the same time: what stands in front is next.
        let c = try await accept("7", "c")
        #expect(try await store.queue() == [c, a[2]])
        // Each is cancelled, parked and finished for itself.
        #expect(try await store.finish(b[0], .done)?.state == .done)
        #expect(try await store.park(a[1])?.attempts == 0)
        #expect(try await store.finish(b[1], .cancelled)?.state == .cancelled)
        try await store.recover()
        #expect(try await store.job(a[0])?.state == .queued)
    }

    @Test("What is moved to the end is taken last, whatever its priority was")
    func movingToTheEnd() async throws {
        let folder = RunningServer.newFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let database = try ServerDatabase(in: folder)
        let store = JobStore(database.pool)
        var ids: [String] = []
        for priority in [5, 0, -1, 0] {
            var settings = JobSettings(prompt: "a")
            settings.priority = priority
            let job = Job(settings: settings, client: "a", api: .easel)
            _ = try await store.accept(job, key: nil, limits: ServerLimits(), secondsLeft: 0)
            ids.append(job.id)
        }
        #expect(try await store.queue() == [ids[0], ids[1], ids[3], ids[2]])
        #expect(try await store.move(ids[0], before: nil).priority == -1)
        #expect(try await store.queue() == [ids[1], ids[3], ids[2], ids[0]])
        #expect(try await store.move(ids[2], before: nil).priority == -1)
        #expect(try await store.queue() == [ids[1], ids[3], ids[0], ids[2]])
    }
}
