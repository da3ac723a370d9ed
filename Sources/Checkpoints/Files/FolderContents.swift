import Foundation

extension URL {
    /// What is in the folder, by name, also where this is a link to one; empty where it is none.
    package var folderContents: [URL] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted().map {
            appending(path: $0)
        }
    }

    package var isFolder: Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    /// All files in the folder and those below it, links followed; each folder once, so that links may go round in
    /// circles. Names that begin with a dot are left out.
    ///
    /// - Parameter isWhole: Whether a folder counts as a file and is not looked into.
    package func filesBelow(where isWhole: (URL) -> Bool = { _ in false }) -> [URL] {
        var seen: Set<String> = []
        func files(_ folder: URL) -> [URL] {
            guard seen.insert(folder.resolvingSymlinksInPath().path).inserted else { return [] }
            return folder.folderContents.filter { !$0.lastPathComponent.hasPrefix(".") }.flatMap { url in
                url.isFolder && !isWhole(url) ? files(url) : [url]
            }
        }
        return files(self)
    }
}
