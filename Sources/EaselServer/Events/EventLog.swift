import Foundation
import Synchronization

/// What happened lately, for any number of readers at their own pace.
///
/// A reader asks for what came after what it has; nothing is kept for it, so that slow and vanished readers cost nothing.
/// One that is too slow misses the oldest.
final class EventLog: Sendable {
    /// Something that happened.
    struct Event: Sendable, Hashable {
        /// Rises, over restarts too.
        let id: Int
        let name: String
        /// Nil where it is of no job.
        let job: String?
        /// JSON on one line.
        let data: String
    }

    private struct State {
        var events: [Event] = []
        var nextID: Int
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter = 0
        /// How often all readers were woken.
        var beats = 0
    }

    private let state: Mutex<State>
    /// How many are kept.
    private static let capacity = 1024

    init() {
        state = Mutex(State(nextID: Int(Date().timeIntervalSince1970 * 1000)))
    }

    /// The newest event's.
    var lastID: Int { state.withLock { $0.nextID - 1 } }

    func publish(_ name: String, job: String?, data: String) {
        let waiting = state.withLock { state in
            state.events.append(Event(id: state.nextID, name: name, job: job, data: data))
            state.nextID += 1
            if state.events.count > 2 * Self.capacity {
                state.events.removeFirst(state.events.count - Self.capacity)
            }
            return Self.takeWaiting(&state)
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Wakes all readers, who find nothing new: a sign of life for their clients.
    func wake() {
        let waiting = state.withLock { state in
            state.beats += 1
            return Self.takeWaiting(&state)
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Whether what came after an event is still all there.
    func remembers(after id: Int) -> Bool {
        state.withLock { state in
            id < state.nextID && (state.events.first.map { id >= $0.id - 1 } ?? (id == state.nextID - 1))
        }
    }

    /// Whether a job's event of one of some names is still there, and came no later than another.
    func remembers(_ names: Set<String>, of job: String, until id: Int) -> Bool {
        state.withLock { state in
            state.events.contains { $0.id <= id && $0.job == job && names.contains($0.name) }
        }
    }

    /// What came after an event.
    struct News: Sendable {
        /// Nothing where the readers were woken, or the reader's task was cancelled.
        var events: [Event] = []
        /// The newest event, of any job: what the reader asks for the next ones with.
        var last: Int
        /// Whether the reader was so slow that it missed some: what it follows may have ended among them.
        var isIncomplete = false
    }

    /// What came after an event, of one job or of all; waits while there is nothing.
    func news(after id: Int, of job: String?) async -> News {
        let (beats, waiter) = state.withLock { state in
            state.nextWaiter += 1
            return (state.beats, state.nextWaiter)
        }
        var last = id
        while true {
            let news = newer(than: last, of: job)
            guard news.events.isEmpty, !news.isIncomplete, !Task.isCancelled,
                state.withLock({ $0.beats }) == beats
            else { return news }
            last = news.last
            await wait(waiter, seen: last, beats: beats)
        }
    }

    /// Waits until there is an event after the one that was seen, or the readers are woken.
    private func wait(_ waiter: Int, seen: Int, beats: Int) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isLate = state.withLock { state in
                    let isLate = Task.isCancelled || state.nextID - 1 > seen || state.beats != beats
                    if !isLate { state.waiting[waiter] = continuation }
                    return isLate
                }
                if isLate { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: waiter) }?.resume()
        }
    }

    private func newer(than id: Int, of job: String?) -> News {
        state.withLock { state in
            let last = state.nextID - 1
            let (count, kept) = (max(last - id, 0), state.events.count)
            let events = state.events[(kept - min(count, kept))...].filter { job == nil || $0.job == job }
            return News(events: events, last: last, isIncomplete: count > kept)
        }
    }

    private static func takeWaiting(_ state: inout State) -> [CheckedContinuation<Void, Never>] {
        defer { state.waiting.removeAll(keepingCapacity: true) }
        return Array(state.waiting.values)
    }
}
