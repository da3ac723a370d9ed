import Foundation

/// Why a model cannot be fetched or found.
public enum HubError: Error, Sendable, Hashable, CustomStringConvertible {
    /// There is no such repository, or none that may be seen without a token (401, 404).
    case noRepository(String, hasToken: Bool)
    /// The repository's owner wants terms to be accepted first.
    case gated(String, hasToken: Bool)
    case noRevision(repository: String, revision: String)
    case noFile(String, repository: String)
    /// The network may not be asked, and the file is not there.
    case offline(String)
    /// The repository has no model that can be used as a whole; these are its files of weights.
    case nothingToPull(repository: String, weights: [String])
    /// A name in a repository's list that leads somewhere else.
    case unsafeName(String, repository: String)
    /// An answer lacks what a file is kept by.
    case missingHeader(String, url: String)
    /// An answer's ETag is none that a file can be kept by.
    case badETag(String, url: String)
    /// The bytes that came are not those that were announced.
    case wrongHash(file: String, expected: String, actual: String)
    case wrongSize(file: String, expected: Int, actual: Int)
    /// A redirect from an encrypted connection to one that is not.
    case insecureRedirect(from: String, to: String)
    case tooManyRedirects(url: String)
    /// Where a file should be, there is a page to read.
    case webPage(url: String)
    /// Any other answer.
    case status(Int, url: String)
    case connection(url: String, reason: String)
    /// The answer is not what the hub answers.
    case malformed(url: String, reason: String)
    /// A file cannot be written.
    case unwritable(path: String, reason: String)
    /// There is no model of this name.
    case unknownModel(String, nearest: [String])

    public var description: String {
        switch self {
        case .noRepository(let id, let hasToken):
            "there is no repository \(id), or it is private"
                + (hasToken ? " and the token may not see it" : ": HF_TOKEN is not set")
        case .gated(let id, let hasToken):
            "\(id) is gated: accept its terms on its page"
                + (hasToken
                    ? "; the token must be of the account that did"
                    : ", and set HF_TOKEN to a token of that account")
        case .noRevision(let repository, let revision): "\(repository) has no revision \(revision)"
        case .noFile(let file, let repository): "\(repository) has no file \(file)"
        case .offline(let what): "\(what) is not in the cache, and HF_HUB_OFFLINE forbids to fetch it"
        case .nothingToPull(let repository, let weights):
            "\(repository) has no model_index.json"
                + (weights.isEmpty
                    ? " and no files of weights"
                    : "; name one of its files: \(weights.prefix(12).joined(separator: ", "))"
                        + (weights.count > 12 ? ", …" : ""))
        case .unsafeName(let name, let repository):
            "\(repository) has a file whose name leads out of its folder: \(name)"
        case .missingHeader(let name, let url): "\(url): the answer has no \(name)"
        case .badETag(let etag, let url): "\(url): the ETag \"\(etag)\" is neither a SHA-256 nor a Git hash"
        case .wrongHash(let file, let expected, let actual):
            "\(file): the bytes that came have the hash \(actual), expected was \(expected); they were thrown away: "
                + "try again"
        case .wrongSize(let file, let expected, let actual):
            "\(file): \(actual) bytes came, expected were \(expected)"
        case .insecureRedirect(let from, let to): "\(from) leads to \(to), which is not encrypted"
        case .tooManyRedirects(let url): "\(url) leads from one place to the next without end"
        case .webPage(let url):
            "\(url) answers with a web page (text/html), not with a file; it may be shown to those who are logged in, or "
                + "the file's own address is another"
        case .status(let status, let url): "\(url) answers \(status)"
        case .connection(let url, let reason): "\(url) cannot be reached: \(reason)"
        case .malformed(let url, let reason): "\(url): \(reason)"
        case .unwritable(let path, let reason): "\(path): cannot be written: \(reason)"
        case .unknownModel(let name, let nearest):
            "there is no model \(name): neither a file or folder of that path, nor a name that `easel models` lists"
                + (nearest.isEmpty ? "" : "; nearest: " + nearest.joined(separator: ", "))
                + (name.contains("/") ? "; fetch it with: easel pull \(name)" : "")
        }
    }
}
