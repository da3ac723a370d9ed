import Foundation
import HTTPTypes
import Hummingbird

extension JobStore {
    /// A key by which a client hands in a request once.
    struct Key: Sendable {
        let text: String
        /// The hash of the request's body.
        let bodyHash: String
    }
}

extension JobStore.Key {
    /// The key that a request carries; nil where it has none.
    ///
    /// - Parameter settings: What it asks for: the same, whatever the order of its fields.
    /// - Throws: ``APIError`` for a key that is empty or too long; `EncodingError`.
    init?(of request: Request, for settings: JobSettings) throws {
        guard let text = request.headers[HTTPField.Name("Idempotency-Key")!] else { return nil }
        guard (1...255).contains(text.unicodeScalars.count) else {
            throw APIError.invalid("Idempotency-Key", "an Idempotency-Key has from 1 to 255 characters")
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        self.init(text: text, bodyHash: PictureFiles.identifier(of: try encoder.encode(settings)))
    }
}
