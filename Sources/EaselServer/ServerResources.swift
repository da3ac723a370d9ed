import Foundation
import ProgramFiles

/// The files that come with the server: the studio, and the API's description.
enum ServerResources {
    static let folder = ProgramFiles.resources(of: "EaselServer")

    /// A file's bytes; nil where it is not there.
    static func bytes(_ name: String) -> Data? {
        folder.flatMap { try? Data(contentsOf: $0.appending(path: name)) }
    }

    /// The names of a folder's files.
    static func names(in name: String) -> [String] {
        let path = folder?.appending(path: name).path
        return path.flatMap { try? FileManager.default.contentsOfDirectory(atPath: $0) } ?? []
    }
}
