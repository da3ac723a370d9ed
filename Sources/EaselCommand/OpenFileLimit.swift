import Foundation

/// How many files and connections the process may have open.
enum OpenFileLimit {
    /// Raises it as far as the system lets a process do by itself: a server with many clients needs more than the usual 1024.
    static func raise() {
        var limit = rlimit()
        #if os(Linux)
            let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
            let resource = RLIMIT_NOFILE
        #endif
        guard getrlimit(resource, &limit) == 0 else { return }
        limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, 1 << 16))
        // Without, there are as many as there were.
        setrlimit(resource, &limit)
    }
}
