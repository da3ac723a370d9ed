import Foundation

/// The files that come with the program: where it was built, or where it is installed.
public enum ProgramFiles {
    /// The program itself, links followed.
    public static let program = URL(filePath: Bundle.main.executablePath ?? CommandLine.arguments[0])
        .resolvingSymlinksInPath()

    /// The first of some paths that is there, looked for in the program's folder, then in each folder above it.
    ///
    /// - Parameters:
    ///   - paths: From the folder on, the likeliest first.
    ///   - isWanted: Whether what is there is what is looked for; by default, anything is.
    public static func first(
        of paths: String...,
        where isWanted: (URL) -> Bool = { FileManager.default.fileExists(atPath: $0.path) }
    ) -> URL? {
        var folder = program.deletingLastPathComponent()
        while true {
            if let found = paths.lazy.map({ folder.appending(path: $0) }).first(where: isWanted) {
                return found
            }
            let above = folder.deletingLastPathComponent()
            if above.path == folder.path { return nil }
            folder = above
        }
    }

    /// The folder of the files that a module of Easel's brings, which the build puts beside the program.
    public static func resources(of module: String) -> URL? {
        let name = "Easel_\(module)"
        return first(
            of: "\(name).resources", "share/easel/\(name).resources", "\(name).bundle/Contents/Resources",
            "\(name).bundle")
    }
}
