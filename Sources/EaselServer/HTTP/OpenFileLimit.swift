import Foundation

/// How many files and connections the process may have open.
public enum OpenFileLimit {
    #if os(Linux)
        private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
        private static let resource = RLIMIT_NOFILE
    #endif

    private static var limits: rlimit? {
        var limits = rlimit()
        return getrlimit(resource, &limits) == 0 ? limits : nil
    }

    static var current: Int { limits.map { Int(clamping: $0.rlim_cur) } ?? 256 }

    /// Raises it as far as the system lets a process do by itself: a server with many clients needs more than the usual 1024.
    public static func raise() {
        guard var limits else { return }
        limits.rlim_cur = max(limits.rlim_cur, min(limits.rlim_max, 1 << 16))
        // Without, there are as many as there were.
        setrlimit(resource, &limits)
    }
}
