import Foundation
import Testing

@testable import Checkpoints

@Suite struct JSONTests {
    private func parse(_ text: String, dialect: JSONValue.Dialect = .standard) throws(JSONError) -> JSONValue
    {
        try JSONValue(parsing: Array(text.utf8), named: "test.json", dialect: dialect)
    }

    private func failure(_ text: String) -> JSONError? { failure(Array(text.utf8)) }

    private func failure(_ bytes: [UInt8]) -> JSONError? {
        do throws(JSONError) {
            _ = try JSONValue(parsing: bytes, named: "test.json")
            return nil
        } catch {
            return error
        }
    }

    @Test func readsEveryKindOfValue() throws {
        let value = try parse(#" {"a": [1, -2.5e3, true, false, null], "b": {"c": "d"}, "": [], "e": {}} "#)
        let object = try #require(value.objectValue)
        #expect(object.keys == ["a", "b", "", "e"])
        #expect(
            object["a"]
                == .array([
                    .number(JSONNumber(1)), .number(JSONNumber(text: "-2.5e3")), .bool(true), .bool(false),
                    .null,
                ]))
        #expect(object["b"]?.objectValue?["c"] == .string("d"))
        #expect(object[""] == .array([]))
        #expect(object["e"]?.objectValue?.count == 0)
        #expect(object["f"] == nil)
    }

    @Test func readsEscapes() throws {
        let text = try parse(#""\"\\\/\b\f\n\r\té\u00e9\uD83D\uDE00\u0000end""#)
        #expect(text == .string("\"\\/\u{8}\u{c}\n\r\té\u{e9}😀\0end"))
    }

    @Test(arguments: [
        "", " ", "{", "[", "\"", "\"a", "{\"a\"", "{\"a\":", "{\"a\":1", "[1", "[1,", "[1,]", "[,1]", "{,}",
        "{\"a\":1,}",
        "{a:1}", "{'a':1}", "[1 2]", "{\"a\" 1}", "tru", "truE", "nul", "True", "01", "-", "+1", ".5", "1.",
        "1e",
        "1e+", "-01", "0x10", "NaN", "Infinity", "-Infinity", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\t\"",
        "\"\\",
        "// a\n1", "[1]]", "1 1", "\u{a0}1", "\0", "[1\0]",
    ])
    func refusesWhatIsNotJSON(_ text: String) {
        #expect(failure(text) != nil)
    }

    @Test func readsPythonsNonFiniteNumbersWhereAsked() throws {
        #expect(try parse("-Infinity", dialect: .python).numberValue?.double == -.infinity)
        #expect(try parse("[Infinity]", dialect: .python).arrayValue?[0].numberValue?.double == .infinity)
        #expect(try parse("NaN", dialect: .python).numberValue?.double.isNaN == true)
        #expect(try parse("NaN", dialect: .python).numberValue?.integer == nil)
    }

    @Test func saysWhereTheProblemIs() {
        let error = failure("{\n \"a\": 1,\n \"b\": ?}")
        #expect(error?.line == 3)
        #expect(error?.offset == 17)
        #expect(error?.description == "test.json, line 3, byte 17: expected a value, found '?'")
        #expect(failure("[1] xyz")?.problem == .trailing(bytes: 3))
        #expect(failure("[1] xyz")?.offset == 4)
    }

    // C1
    @Test func limitsTheDepth() throws {
        func nested(_ depth: Int, _ open: String, _ close: String) -> String {
            String(repeating: open, count: depth) + "1" + String(repeating: close, count: depth)
        }
        _ = try parse(nested(64, "[", "]"))
        _ = try parse(nested(64, "{\"a\":", "}"))
        #expect(failure(nested(65, "[", "]"))?.problem == .tooDeep(limit: 64))
        #expect(failure(nested(65, "{\"a\":", "}"))?.problem == .tooDeep(limit: 64))
        #expect(failure(nested(65, "[", "]"))?.offset == 64)
        #expect(failure(String(repeating: "[", count: 1_000_000))?.problem == .tooDeep(limit: 64))
    }

    @Test func countsSiblingsAsOneDepth() throws {
        _ = try parse("[" + String(repeating: "[],", count: 200) + "{}]")
    }

    // C2
    @Test func refusesDuplicateKeys() {
        let error = failure(#"{"a": 1, "b": {"c": 1, "c": 2}}"#)
        #expect(error?.problem == .duplicateKey("c"))
        #expect(error?.offset == 23)
        #expect(failure(#"{"a": 1, "\u0061": 2}"#)?.problem == .duplicateKey("a"))
    }

    @Test func tellsCanonicallyEquivalentKeysApart() throws {
        let object = try #require(try parse(#"{"\u00e9": 1, "e\u0301": 2}"#).objectValue)
        #expect(object["\u{e9}"] == .number(JSONNumber(1)))
        #expect(object["e\u{301}"] == .number(JSONNumber(2)))
    }

    // C7
    @Test func skipsOneByteOrderMark() throws {
        #expect(try parse("\u{FEFF}[1]") == .array([.number(JSONNumber(1))]))
        #expect(failure("\u{FEFF}\u{FEFF}1") != nil)
        #expect(failure(" \u{FEFF}1") != nil)
    }

    // C7
    @Test(arguments: ["\\ud800", "\\udc00", "\\ud800x", "\\ud800\\n", "\\ud800\\ud800", "\\udbff\\u0041"])
    func refusesLoneSurrogates(_ escape: String) {
        guard case .loneSurrogate? = failure("[\"a\(escape)\"]")?.problem else {
            Issue.record("\(escape) was read")
            return
        }
    }

    // M45, M46
    @Test(arguments: [
        ("<!DOCTYPE html><html>", "a web page"), (" \n<Error/>", "XML"),
        (
            "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n",
            "a Git LFS pointer to a file of 5 bytes"
        ),
    ])
    func saysWhatStandsInItsPlace(_ text: String, _ kind: String) throws {
        let folder = try TemporaryFolder()
        let url = try folder.write(text, to: "config.json")
        let error = #expect(throws: JSONError.self) { try JSONValue(contentsOf: url) }
        #expect(error?.problem == .otherText(kind))
        #expect("\(try #require(error))".hasSuffix("this is \(kind), not JSON; fetch the file again"))
    }

    // C7
    @Test func refusesDocumentsThatAreTooLarge() throws {
        let size = JSONValue.maximumByteCount + 1
        #expect(
            failure([UInt8](repeating: 0x20, count: size))?.problem
                == .tooLarge(bytes: size, limit: JSONValue.maximumByteCount))
        let folder = try TemporaryFolder()
        let url = try folder.write("", to: "large.json")
        #expect(truncate(url.path, off_t(size)) == 0)
        #expect(throws: JSONError.self) { try JSONValue(contentsOf: url) }
    }

    @Test(
        arguments: [
            ([0x80], 2), ([0x61, 0xC0, 0xAF], 3), ([0xE0, 0x80, 0x80], 2), ([0xED, 0xA0, 0x80], 2),
            ([0xF5, 0x80, 0x80, 0x80], 2), ([0xF0, 0x9F, 0x98], 2), ([0x61, 0x62, 0xC3], 4),
            ([0xF4, 0x90, 0x80, 0x80], 2),
        ] as [([UInt8], Int)])
    func findsInvalidUTF8(_ bytes: [UInt8], _ offset: Int) {
        let error = failure([0x5B, 0x22] + bytes + [0x22, 0x5D])
        #expect(error?.problem == .invalidUTF8(byte: bytes[offset - 2]))
        #expect(error?.offset == offset)
        let escaped = failure([0x22, 0x5C, 0x6E] + bytes + [0x22])
        #expect(escaped?.offset == offset + 1)
    }

    // M12
    @Test func neverRoundsIntegers() throws {
        func integer(_ text: String) throws -> Int? { try parse(text).numberValue?.integer }
        #expect(try integer("9223372036854775807") == .max)
        #expect(try integer("-9223372036854775808") == .min)
        #expect(try integer("9223372036854775808") == nil)
        #expect(try integer("1.0") == nil)
        #expect(try integer("1e3") == nil)
        #expect(try integer("0.5") == nil)
        #expect(try integer("-0") == 0)
        #expect(try parse("1e3").numberValue?.double == 1000)
        #expect(try parse("1e999").numberValue?.double == .infinity)
    }

    @Test func refusesFoldersAndMissingFiles() throws {
        let folder = try TemporaryFolder()
        #expect(throws: FileError.notRegular(path: folder.url.path, kind: .folder)) {
            try JSONValue(contentsOf: folder.url)
        }
        let missing = folder.url.appending(path: "missing.json")
        #expect(throws: FileError.missing(path: missing.path)) { try JSONValue(contentsOf: missing) }
    }
}
