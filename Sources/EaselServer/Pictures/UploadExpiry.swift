import Logging
import ServiceLifecycle

/// Removes uploads whose time is over, once a day.
struct UploadExpiry: Service {
    let uploads: Uploads
    let logger: Logger

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: .seconds(24 * 3600))
                do {
                    try await uploads.expire()
                } catch {
                    logger.warning("old uploads were not removed", metadata: ["reason": "\(error)"])
                }
            }
        }
    }
}
