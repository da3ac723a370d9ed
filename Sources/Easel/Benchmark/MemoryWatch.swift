import Foundation

/// Watches how much memory the process takes, from when it is made until it is asked for the most.
///
/// Looking costs some milliseconds of a core each time, so that nothing is timed meanwhile.
final class MemoryWatch: Sendable {
    private let looks: Task<Int, Never>

    init() {
        looks = Task.detached(priority: .high) {
            var peak = 0
            while !Task.isCancelled {
                peak = max(peak, Self.memoryBytes())
                try? await Task.sleep(for: .milliseconds(50))
            }
            return max(peak, Self.memoryBytes())
        }
    }

    deinit { looks.cancel() }

    /// - Returns: In bytes.
    func stop() async -> Int {
        looks.cancel()
        return await looks.value
    }

    /// What the process takes now: on Linux its share of what it has resident, elsewhere the most it ever had.
    private static func memoryBytes() -> Int {
        #if canImport(Darwin)
            var usage = rusage()
            getrusage(RUSAGE_SELF, &usage)
            return usage.ru_maxrss
        #else
            guard let text = try? String(contentsOfFile: "/proc/self/smaps_rollup", encoding: .utf8),
                let line = text.split(separator: "\n").first(where: { $0.hasPrefix("Pss:") }),
                let kilobytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) })
            else { return 0 }
            return kilobytes * 1024
        #endif
    }
}
