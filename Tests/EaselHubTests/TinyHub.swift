import Crypto
import EaselHub
import Foundation
import Synchronization
import Testing

/// A hub with one repository, which speaks Hugging Face's protocol.
final class TinyHub: Sendable {
    static let commit = String(repeating: "0123456789", count: 4)
    static let id = "someone/tiny"

    /// What may go wrong, and how often.
    struct Mood: Sendable {
        /// Instead of an answer, for any request whose path has this in it.
        var answers: [(part: String, times: Int, reply: LocalServer.Reply)] = []
        /// After how many bytes large files break off, the first time.
        var breaksAfter: Int?
        /// Whether ranges are understood.
        var knowsRanges = true
        /// Where large files are.
        var storage: String?
        /// Headers that an answer about a file lacks, and others it has.
        var without: Set<String> = []
        var with: [String: String] = [:]
        /// Other bytes than those that were announced.
        var damages = false
    }

    let server: LocalServer
    private let box: Box
    let folder: URL

    private final class Box: Sendable {
        let mood = Mutex(Mood())
    }

    var mood: Mood {
        get { box.mood.withLock { $0 } }
        set { box.mood.withLock { $0 = newValue } }
    }

    static let files: [String: [UInt8]] = {
        var files: [String: [UInt8]] = [:]
        for name in [
            "model_index.json", "README.md", "unet/config.json", "vae/config.json",
            "text_encoder/config.json",
            "safety_checker/config.json", "scheduler/scheduler_config.json", "tokenizer/vocab.json",
            "tokenizer/merges.txt",
        ] {
            files[name] = Array("{\"\(name)\": 1}\n".utf8)
        }
        for name in [
            "unet/diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.bin",
            "unet/diffusion_pytorch_model.fp16.safetensors", "vae/diffusion_pytorch_model.safetensors",
            "safety_checker/model.safetensors", "v1.ckpt", "v1.safetensors",
            "text_encoder/model-00001-of-00002.safetensors", "text_encoder/model-00002-of-00002.safetensors",
        ] {
            files[name] = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ name.utf8.count) }
        }
        files["text_encoder/model.safetensors.index.json"] = Array("{\"weight_map\": {}}".utf8)
        return files
    }()

    static func isLarge(_ name: String) -> Bool { files[name]?.count ?? 0 > 1000 }

    static func etag(_ name: String) -> String {
        let bytes = files[name] ?? []
        func digits(_ digest: some Sequence<UInt8>) -> String {
            digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        }
        if isLarge(name) { return digits(SHA256.hash(data: bytes)) }
        return digits(Insecure.SHA1.hash(data: Data("blob \(bytes.count)\0".utf8) + bytes))
    }

    /// - Parameter isEncrypted: Whether it speaks TLS, with ``TestCertificate``.
    init(isEncrypted: Bool = false) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "easel-hub-\(UUID().uuidString)")
        let box = Box()
        self.box = box
        server = try LocalServer(isEncrypted: isEncrypted) { request in
            let own = box.mood.withLock { mood -> LocalServer.Reply? in
                for index in mood.answers.indices
                where mood.answers[index].times > 0 && request.path.contains(mood.answers[index].part) {
                    mood.answers[index].times -= 1
                    return mood.answers[index].reply
                }
                return nil
            }
            return own ?? Self.answer(request, box)
        }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func hub(token: String? = "secret", offline: Bool = false) -> Hub {
        var environment = HubEnvironment([:])
        environment.cache = folder.appending(path: "hub")
        environment.ownFolder = folder.appending(path: "own")
        environment.endpoint = URL(string: server.url())!
        environment.token = token
        environment.isOffline = offline
        return Hub(environment).withPause(.milliseconds(10))
    }

    static let reference = RepositoryReference(id)!

    private static func answer(_ request: LocalServer.Request, _ box: Box) -> LocalServer.Reply {
        let mood = box.mood.withLock { $0 }
        if request.path == "/api/models/\(id)/revision/main"
            || request.path == "/api/models/\(id)/revision/\(commit)"
        {
            let siblings = files.keys.sorted().map { "{\"rfilename\": \"\($0)\"}" }.joined(separator: ", ")
            return .init(body: Array("{\"sha\": \"\(commit)\", \"siblings\": [\(siblings)]}".utf8))
        }
        if request.path.hasPrefix("/api/models/\(id)/") {
            return .init(status: 404, headers: ["X-Error-Code": "RevisionNotFound"])
        }
        if request.path.hasPrefix("/storage/") {
            return content(String(request.path.dropFirst("/storage/".count)), request, box)
        }
        let prefix = "/\(id)/resolve/\(commit)/"
        guard request.path.hasPrefix(prefix) else {
            return .init(status: 401, headers: ["X-Error-Code": "RepoNotFound"])
        }
        let name = String(request.path.dropFirst(prefix.count))
        guard let bytes = files[name] else {
            return .init(status: 404, headers: ["X-Error-Code": "EntryNotFound"])
        }
        var headers = [
            "X-Repo-Commit": commit, "ETag": "\"\(etag(name))\"", "content-length": "\(bytes.count)",
        ]
        if isLarge(name) {
            headers["ETag"] = "\"pointer\""
            headers["X-Linked-Etag"] = "\"\(etag(name))\""
            headers["X-Linked-Size"] = "\(bytes.count)"
            headers["content-length"] = "0"
        }
        headers.merge(mood.with) { $1 }
        for name in mood.without { headers[name] = nil }
        if isLarge(name), let storage = mood.storage {
            headers["Location"] = "\(storage)/storage/\(name)"
            return .init(status: 302, headers: headers)
        }
        if request.method == "HEAD" { return .init(headers: headers) }
        return content(name, request, box)
    }

    private static func content(_ name: String, _ request: LocalServer.Request, _ box: Box)
        -> LocalServer.Reply
    {
        var bytes = files[name] ?? []
        let (breaksAfter, knowsRanges, damages) = box.mood.withLock { mood in
            defer { if isLarge(name) { mood.breaksAfter = nil } }
            return (isLarge(name) ? mood.breaksAfter : nil, mood.knowsRanges, mood.damages)
        }
        if damages { bytes[0] ^= 1 }
        guard knowsRanges, let range = request.headers["range"],
            let start = Int(range.dropFirst("bytes=".count).dropLast())
        else { return .init(body: bytes, breaksAfter: breaksAfter) }
        guard start < bytes.count else { return .init(status: 416) }
        return .init(
            status: 206,
            headers: ["Content-Range": "bytes \(start)-\(bytes.count - 1)/\(bytes.count)"],
            body: Array(bytes[start...]), breaksAfter: breaksAfter)
    }
}

/// Why a pull is refused; nil where it is not.
func refusal(_ body: () async throws -> URL) async -> HubError? {
    do {
        _ = try await body()
        return nil
    } catch { return error as? HubError }
}
