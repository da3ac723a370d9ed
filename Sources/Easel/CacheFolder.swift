import Foundation

/// The user's folder for what can be made again: `XDG_CACHE_HOME`, or the system's usual one.
package let cacheFolder: URL = {
    let named = ProcessInfo.processInfo.environment["XDG_CACHE_HOME"] ?? ""
    if !named.isEmpty { return URL(filePath: named) }
    return FileManager.default.urls(for: .cachesDirectory, in: .userDomainMask).first
        ?? FileManager.default.homeDirectoryForCurrentUser.appending(path: ".cache")
}()
