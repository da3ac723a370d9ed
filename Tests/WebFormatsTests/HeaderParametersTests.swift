import Testing
import WebFormats

@Suite("Parameters of headers")
struct HeaderParametersTests {
    @Test("Names are in small letters, values as they are; of several, the first counts")
    func read() throws {
        let header = try #require(
            HeaderParameters(#"Form-Data ; NAME="a\\b" ;; filename*=UTF-8''x; name=second;"#.utf8))
        #expect(header.value == "form-data")
        #expect(header["name"] == #"a\b"# && header["filename"] == nil && header["filename*"] == "UTF-8''x")
        #expect(header.parameters.map(\.name) == ["name", "filename*", "name"])
        #expect(HeaderParameters("".utf8)?.parameters.isEmpty == true)
    }

    @Test(
        "What is no list of parameters is refused",
        arguments: [
            "a; b", "a; =b", "a; b=", "a; b=\"", "a; b=\"c", "a; b=\"c\\\"", "a; b=\"c\\", "a; b=\"c\"d",
            "a; b=c\"d\"", "\"a\"; b=c", "a; \"b\"=c", "a; b=\"\u{0}\"", "a; b=\"\\\n\"", "a; b=c\r", "a\n",
        ])
    func refused(_ text: String) {
        #expect(HeaderParameters(text.utf8) == nil)
    }
}
