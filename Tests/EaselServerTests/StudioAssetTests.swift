import Foundation
import Testing

@testable import EaselServer

/// What browsers get of the studio's files.
@Suite struct StudioAssetTests {
    @Test("Indentation and lines of comments are left out, and nothing else")
    func compact() {
        #expect(
            StudioAssets.compact("// a\n\tlet b = 1 // c\n\n\t\t// d\n\t\te\n", ending: "js")
                == "let b = 1 // c\n\ne\n")
        #expect(
            StudioAssets.compact(
                "/* a */\n\tb { c: d } /* e */\n/* f */ g { h: i }\n/* j\n*/\n", ending: "css")
                == "b { c: d } /* e */\n/* f */ g { h: i }\n/* j\n*/\n")
        #expect(StudioAssets.compact("\t<p>a\n// b", ending: "html") == "<p>a\n// b")
    }

    @Test("No string of a script goes over several lines")
    func strings() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Sources/EaselServer/Studio/Assets")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(files.count > 30)
        for file in files where file.pathExtension == "js" {
            for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
                #expect(line.count { $0 == "`" }.isMultiple(of: 2), "\(file.lastPathComponent): \(line)")
            }
        }
    }
}
