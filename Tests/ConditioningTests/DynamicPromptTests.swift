import Foundation
import Testing

@testable import Conditioning

@Suite("Dynamic prompts")
struct DynamicPromptTests {
    /// What a prompt becomes under many seeds, and how often.
    private func outcomes(_ template: String, wildcards: Wildcards? = nil) throws -> [String: Int] {
        let prompt = DynamicPrompt(template)
        return try (0..<600).reduce(into: [:]) { counts, seed in
            counts[try prompt.resolved(seed: UInt64(seed), wildcards: wildcards), default: 0] += 1
        }
    }

    private static let cases: [(template: String, expected: Set<String>)] = [
        ("a {red|green} apple", ["a red apple", "a green apple"]),
        ("{a|{b|c}} d", ["a d", "b d", "c d"]),
        ("{2$$a|b|c}", ["a,b", "a,c", "b,a", "b,c", "c,a", "c,b"]),
        ("{1-2$$ and $$a|b}", ["a", "b", "a and b", "b and a"]),
        ("{-1$$a|b}", ["", "a", "b"]),
        ("{2-$$+$$a|b}", ["a+b", "b+a"]),
        ("{0$$a|b}x", ["x"]),
        ("{9$$|$$a|b}", ["a|b", "b|a"]),
        ("{a|}!", ["a!", "!"]),
        ("{ a | b }", ["a", "b"]),
        ("{0::a|1::b}", ["b"]),
        ("{a}", ["a"]),
        ("\\{a|b\\} \\(c\\)", ["{a|b} \\(c\\)"]),
        ("{a|b", ["{a|b"]),
        ("a|b}", ["a|b}"]),
        ("(x:1.2) [y|z] $$ ::", ["(x:1.2) [y|z] $$ ::"]),
        ("__colour__", ["__colour__"]),
        ("", [""]),
    ]

    @Test(arguments: cases)
    func becomesOneOfItsOptions(template: String, expected: Set<String>) throws {
        #expect(Set(try outcomes(template).keys) == expected)
    }

    @Test func weightsCount() throws {
        let counts = try outcomes("{3::a|b}")
        #expect((400...500).contains(counts["a"] ?? 0), "\(counts)")
        let even = try outcomes("{a|b|c|d}")
        #expect(even.values.allSatisfy { (110...190).contains($0) }, "\(even)")
    }

    @Test func theSameSeedTheSameChoice() throws {
        let prompt = DynamicPrompt("{a|b|c|d|e|f|g|h} {1|2|3|4|5|6|7|8}")
        for seed: UInt64 in [0, 1, 42, .max] {
            #expect(try prompt.resolved(seed: seed) == prompt.resolved(seed: seed))
        }
        #expect(try prompt.resolved(seed: 42) == "b 3")
    }

    @Test func wildcardsAreLinesOfFiles() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "wildcards-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(
            at: folder.appending(path: "animals"), withIntermediateDirectories: true)
        func write(_ name: String, _ text: String) throws {
            try Data(text.utf8).write(to: folder.appending(path: name))
        }
        try write("colour.txt", "# colours\nred\r\n\n  green  \n{light|dark} blue\n")
        try write("animals/cats.txt", "lion\n__colour__ cat")
        try write("animals/dogs.txt", "poodle")
        try write("empty.txt", "# nothing\n")
        try write("loop.txt", "__loop__ __loop__")
        let wildcards = Wildcards(folder: folder)
        #expect(wildcards.names == ["animals/cats", "animals/dogs", "colour", "empty", "loop"])
        let colours: Set = ["red", "green", "light blue", "dark blue"]
        #expect(Set(try outcomes("__colour__", wildcards: wildcards).keys) == colours)
        #expect(
            Set(try outcomes("a __animals/*__", wildcards: wildcards).keys)
                == Set(["a lion", "a poodle"] + colours.map { "a \($0) cat" }))
        #expect(Set(try outcomes("{__animals/dogs__|x}", wildcards: wildcards).keys) == ["poodle", "x"])
        #expect(throws: DynamicPromptError.emptyWildcard(name: "empty", folder: folder.path)) {
            try DynamicPrompt("__empty__").resolved(seed: 1, wildcards: wildcards)
        }
        #expect(throws: DynamicPromptError.endless) {
            try DynamicPrompt("__loop__").resolved(seed: 1, wildcards: wildcards)
        }
        for name in ["color", "../secret", "/etc/passwd"] {
            #expect(
                throws: DynamicPromptError.unknownWildcard(
                    name: name, folder: folder.path, known: wildcards.names)
            ) { try DynamicPrompt("__\(name)__").resolved(seed: 1, wildcards: wildcards) }
        }
    }

    @Test func wildcardsMayBeLinks() throws {
        let files = FileManager.default
        let place = files.temporaryDirectory.appending(path: "wildcards-\(UUID())")
        defer { try? files.removeItem(at: place) }
        let (folder, other) = (place.appending(path: "words"), place.appending(path: "other"))
        try files.createDirectory(at: folder, withIntermediateDirectories: true)
        try files.createDirectory(at: other.appending(path: "beasts"), withIntermediateDirectories: true)
        try Data("red".utf8).write(to: other.appending(path: "shades.txt"))
        try Data("lion".utf8).write(to: other.appending(path: "beasts/cats.txt"))
        try Data("blue".utf8).write(to: folder.appending(path: "own.txt"))
        for (name, target) in [
            ("colour.txt", other.appending(path: "shades.txt")), ("animals", other.appending(path: "beasts")),
            ("same.txt", folder.appending(path: "own.txt")),
        ] {
            try files.createSymbolicLink(at: folder.appending(path: name), withDestinationURL: target)
        }
        let wildcards = Wildcards(folder: folder)
        #expect(wildcards.names == ["animals/cats", "colour", "own", "same"])
        let prompt = DynamicPrompt("a __colour__ __animals/cats__, __same__")
        #expect(try prompt.resolved(seed: 1, wildcards: wildcards) == "a red lion, blue")
    }
}
