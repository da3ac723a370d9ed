import Checkpoints
import Hummingbird

/// Errors as OpenAI writes them: `{"error": {"message", "type", "param", "code"}}`.
struct OpenAIErrorShape: ErrorShape {
    func body(of error: APIError) -> JSONBody {
        let type =
            switch error.status.code {
            case 401: "authentication_error"
            case 429: "rate_limit_error"
            case 500...: "server_error"
            default: "invalid_request_error"
            }
        return JSONBody([
            "error": [
                "message": .string(error.message), "type": .string(type),
                "param": error.field.map { .string($0) } ?? .null, "code": .string(error.code),
            ]
        ])
    }
}
