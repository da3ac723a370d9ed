/// In which order queued jobs are taken: by priority, then clients in turn, whoever was served longest ago first, and each
/// client's own by their places.
enum QueueOrder {
    struct Entry: Sendable, Hashable {
        let id: String
        let client: String
        let priority: Int
        let place: Double
    }

    /// - Parameter lastServed: When each client's last job began, in any unit.
    static func sorted(_ entries: [Entry], lastServed: [String: Double]) -> [String] {
        var lastServed = lastServed
        var turn = (lastServed.values.max() ?? 0) + 1
        var order: [String] = []
        order.reserveCapacity(entries.count)
        let byPriority = Dictionary(grouping: entries, by: \.priority)
        for priority in byPriority.keys.sorted(by: >) {
            var waiting = Dictionary(grouping: byPriority[priority] ?? [], by: \.client).mapValues {
                $0.sorted { ($0.place, $0.id) < ($1.place, $1.id) }[...]
            }
            while !waiting.isEmpty {
                let next = waiting.min { left, right in
                    let (a, b) = (lastServed[left.key] ?? 0, lastServed[right.key] ?? 0)
                    return a != b ? a < b : (left.value.first?.place ?? 0) < (right.value.first?.place ?? 0)
                }
                guard let client = next?.key, let entry = waiting[client]?.popFirst() else { break }
                if waiting[client]?.isEmpty == true { waiting[client] = nil }
                order.append(entry.id)
                lastServed[client] = turn
                turn += 1
            }
        }
        return order
    }
}
