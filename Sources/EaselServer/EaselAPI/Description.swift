import Checkpoints
import Foundation

/// A description of an API that comes with the server: OpenAPI 3.1.
struct Description: Sendable {
    /// Where it is served.
    let path: String
    let bytes: Data
    /// Names the bytes.
    let tag: String

    /// Easel's own API.
    static let easel = Description("openapi.json", at: "/api/v1/openapi.json")
    /// What AUTOMATIC1111's clients use.
    static let a1111 = Description("a1111-openapi.json", at: "/openapi.json")

    /// Both as a page; read and written once.
    static let page: (bytes: Data, tag: String)? = {
        let all = [a1111, easel].compactMap { $0 }
        let documents = all.compactMap { description in
            (try? JSONValue(parsing: Array(description.bytes), named: description.path)).map {
                DescriptionPage.Document(path: description.path, value: $0)
            }
        }
        guard !documents.isEmpty else { return nil }
        let bytes = Data(DescriptionPage(documents: documents).html.utf8)
        return (bytes, PictureFiles.identifier(of: bytes))
    }()

    /// - Returns: Nil where the file is not there.
    private init?(_ name: String, at path: String) {
        guard let bytes = ServerResources.bytes(name) else { return nil }
        (self.path, self.bytes, tag) = (path, bytes, PictureFiles.identifier(of: bytes))
    }
}
