import Foundation

/// How much memory this process takes, and keeps of what it has freed.
public enum ProcessMemory {
    /// In bytes; nil where the system does not say it in Linux's way.
    static var resident: Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return pages.map { $0 * Int(sysconf(Int32(_SC_PAGESIZE))) }
    }

    /// Lets all threads share as many of the allocator's arenas as there are processors. glibc has eight times as many
    /// otherwise, and what was freed in one is of no use to the others. To be called before there are threads; other
    /// allocators than glibc's stay as they are.
    public static func limitArenas() {
        #if os(Linux)
            typealias Function = @convention(c) (CInt, CInt) -> CInt
            // M_ARENA_MAX of malloc.h.
            let arenaMaximum: CInt = -8
            let count = max(ProcessInfo.processInfo.activeProcessorCount, 2)
            guard let function = dlsym(nil, "mallopt") else { return }
            _ = unsafeBitCast(function, to: Function.self)(arenaMaximum, CInt(clamping: count))
        #endif
    }
}
