import Foundation
import Hummingbird
import WebFormats

extension MultipartForm {
    /// Reads the body of a request.
    ///
    /// - Throws: ``APIError``: 415 where it is not such a form, 413 where it is too large, 400 where it is damaged.
    init(of request: Request, limit: Int) async throws {
        guard let type = request.headers[.contentType], let boundary = Self.boundary(of: type) else {
            throw APIError(
                .unsupportedMediaType, "unsupported_media_type", "the body must be multipart/form-data")
        }
        let bytes = try await BodyBytes.all(of: request, limit: limit)
        do throws(MultipartFormError) {
            try self.init(Data(bytes), boundary: boundary)
        } catch {
            throw APIError(.badRequest, "invalid_form", "the form cannot be read: \(error)")
        }
    }
}
