import Checkpoints
import Hummingbird

/// Errors as AUTOMATIC1111's server writes them: `{"error", "detail", "body", "errors"}`.
struct A1111ErrorShape: ErrorShape {
    func body(of error: APIError) -> JSONBody {
        if error.status.code == 422, let field = error.field {
            // As its framework tells of a field.
            let detail: JSONValue = [
                "type": .string(error.code), "loc": ["body", .string(field)], "msg": .string(error.message),
            ]
            return JSONBody(["detail": [detail]])
        }
        let kind = error.status.code == 500 ? "RuntimeError" : "HTTPException"
        return JSONBody([
            "error": .string(kind), "detail": .string(error.message), "body": "",
            "errors": .string(error.message),
        ])
    }
}
