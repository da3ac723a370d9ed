import Foundation
import Testing
import WebFormats

@Suite("Forms of fields and files")
struct MultipartFormTests {
    @Test("A form's parts are read, also where their bytes look like a boundary")
    func parts() throws {
        let text = """
            preamble --b\r\n--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\na fish\r
            --b \t\r\ncontent-disposition:form-data; name=image; filename="x;y.png"\r\nContent-Type: image/png\r\n\r
            \r\n--not\r\n--\r\n\r\n--b\r\nContent-Disposition: form-data; name="image[]"\r\n\r\n\r\n--b--\r\nepilogue
            """
        let form = try MultipartForm(Data(text.utf8), boundary: "b")
        #expect(form.text("prompt") == "a fish")
        #expect(form.text("image[]") == "" && form.text("no such") == nil)
        #expect(
            form.files("image").map { String(decoding: $0, as: UTF8.self) } == ["\r\n--not\r\n--\r\n", ""])
        #expect(form.parts.map(\.name) == ["prompt", "image", "image[]"])
        #expect(form.parts.map(\.fileName) == [nil, "x;y.png", nil])
        #expect(try MultipartForm(Data("--b--".utf8), boundary: "b").parts.isEmpty)
    }

    @Test(
        "What is damaged is refused, and said to be",
        arguments: [
            ("", MultipartFormError.noBoundary), ("x --b--", .noBoundary), ("--b", .unendedBoundary),
            ("--b\r\n", .unendedPart), ("--bx\r\n\r\n--b--", .unendedBoundary),
            ("--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--", .unnamedPart),
            ("--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx", .unendedPart),
            ("--b\r\nx\r\n--b--", .unnamedPart), ("--b\r\n--b--", .unnamedPart),
            ("--b\r\nX-Content-Disposition: form-data; name=a\r\n\r\nx\r\n--b--", .unnamedPart),
            ("--b\r\nContent-Disposition: form-data; name=\"a\r\n\r\nx\r\n--b--", .disposition),
        ])
    func damaged(_ text: String, _ error: MultipartFormError) {
        #expect(throws: error) { _ = try MultipartForm(Data(text.utf8), boundary: "b") }
        #expect(!error.description.isEmpty)
    }

    @Test("What is larger than a form is, is refused")
    func limits() {
        let field = "Content-Disposition: form-data; name=a"
        let many = String(repeating: "--b\r\n\(field)\r\n\r\nx\r\n", count: 65) + "--b--"
        #expect(throws: MultipartFormError.parts(limit: 64)) {
            _ = try MultipartForm(Data(many.utf8), boundary: "b")
        }
        let long = "--b\r\n\(field)\(String(repeating: "a", count: 4096))\r\n\r\nx\r\n--b--"
        #expect(throws: MultipartFormError.longHeader(limit: 4096)) {
            _ = try MultipartForm(Data(long.utf8), boundary: "b")
        }
    }

    @Test("A semicolon or a quotation mark in a quoted name is the name's")
    func quotedNames() throws {
        for (name, told) in [
            (#""a;b.png""#, "a;b.png"), (#""a; filename=b""#, "a; filename=b"), (#""a\"b;\\c""#, #"a"b;\c"#),
            (#""a=b""#, "a=b"), (#""""#, ""), ("\"größe\"", "größe"), ("a=b", "a=b"),
        ] {
            let text =
                "--b\r\nContent-Disposition: form-data; name=\(name); filename=\(name)\r\n\r\nx\r\n--b--"
            let part = try #require(try MultipartForm(Data(text.utf8), boundary: "b").parts.first)
            #expect(part.name == told && part.fileName == told, "\(name)")
        }
    }

    @Test("The boundary is what the content type names")
    func boundary() {
        for (type, boundary) in [
            ("multipart/form-data; boundary=\"a b\"", "a b"), ("Multipart/Form-Data;Boundary=x", "x"),
            ("multipart/form-data; charset=utf-8; boundary=\"a;b\"", "a;b"),
            ("multipart/form-data ;\tboundary = x ;", "x"),
        ] {
            #expect(MultipartForm.boundary(of: type) == boundary, "\(type)")
        }
        for type in [
            "multipart/form-data", "multipart/form-data; boundary=", "text/plain; boundary=x",
            "multipart/form-data-x; boundary=x", "multipart/form-data; boundary=\"x",
            "multipart/form-data; boundary=\"\"", "multipart/form-data; boundary=\"x\"y",
            "multipart/form-data; boundary=" + String(repeating: "x", count: 71),
        ] {
            #expect(MultipartForm.boundary(of: type) == nil, "\(type)")
        }
    }
}
