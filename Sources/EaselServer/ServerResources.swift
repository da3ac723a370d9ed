import Foundation

/// The files that come with the server: the studio, and the API's description.
enum ServerResources {
    private static let bundleName = "Easel_EaselServer.resources"

    /// Where they are: beside the program, where they are built, or where an installed program has them.
    static let folder: URL? = {
        let program = URL(filePath: Bundle.main.executablePath ?? CommandLine.arguments[0])
            .resolvingSymlinksInPath().deletingLastPathComponent()
        let places = [
            program.appending(path: bundleName),
            program.deletingLastPathComponent().appending(path: "share/easel/\(bundleName)"),
            Bundle.main.bundleURL.appending(path: "Easel_EaselServer.bundle/Contents/Resources"),
        ]
        return places.first {
            FileManager.default.fileExists(atPath: $0.appending(path: "openapi.json").path)
        }
    }()

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
