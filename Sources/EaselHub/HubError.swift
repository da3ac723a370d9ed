import Checkpoints
import Foundation

/// Why a model cannot be fetched or found.
public enum HubError: Error, Sendable, Hashable, CustomStringConvertible {
    /// There is no such repository, or none that may be seen without a token (401, 404).
    case noRepository(String, hasToken: Bool)
    /// The repository's owner wants terms to be accepted first.
    case gated(String, hasToken: Bool)
    case noRevision(repository: String, revision: String)
    case noFile(String, repository: String)
    /// `HF_ENDPOINT` is not the address of a server.
    case endpoint(String)
    /// The network may not be asked, and the file is not there; these files of weights are, which could be named instead.
    case offline(String, known: [String] = [])
    /// The repository has no model that can be used as a whole; these are its files of weights.
    case nothingToPull(repository: String, weights: [String])
    /// No component of the repository's model has weights of this variant; these are the ones that there are.
    case noVariant(String, repository: String, variants: [String])
    /// A name in a repository's list that leads somewhere else, or is no plain one.
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
    /// The server asks for patience, and asked for it again each time.
    case busy(Int, url: String, attempts: Int, hasToken: Bool)
    /// The server's certificate is not one that is trusted.
    case untrusted(url: String)
    case connection(url: String, reason: String)
    /// The answer is not what the hub answers.
    case malformed(url: String, reason: String)
    /// A file cannot be written.
    case unwritable(path: String, reason: String)
    /// There is no model of this name.
    case unknownModel(String, nearest: [String])
    /// There is nothing of this name that Easel would remove; where it is in another program's folder, its path.
    case notRemovable(String, path: String?, nearest: [String])

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
        case .endpoint(let text):
            "HF_ENDPOINT is \(text.withoutSecrets.quoted), which is no address of a hub: it has to be http:// or https://, "
                + "a server, and a port of 1 to 65535 where one is named, as in https://huggingface.co; nothing was asked "
                + "or sent"
        case .offline(let what, let known):
            "\(what) is not in the cache, and HF_HUB_OFFLINE forbids to fetch it"
                + (known.isEmpty ? "" : "; there are \(known.joined(separator: ", ")): name one of them")
        case .nothingToPull(let repository, let weights):
            "\(repository) has no model_index.json"
                + (weights.isEmpty
                    ? " and no files of weights"
                    : "; name one of its files: \(weights.prefix(12).joined(separator: ", "))"
                        + (weights.count > 12 ? ", …" : ""))
        case .noVariant(let variant, let repository, let variants):
            "\(repository) has no weights of the variant \(variant.quoted)"
                + (variants.isEmpty
                    ? " or of any other; leave --variant out"
                    : "; there are \(variants.map(\.quoted).joined(separator: ", ")), or leave --variant out")
        case .unsafeName(let name, let repository):
            "\(repository) has a file whose name \(FileSelection.fault(of: name) ?? "is none"): \(name.quoted)"
        case .missingHeader(let name, let url): "\(url): the answer has no \(name)"
        case .badETag(let etag, let url):
            "\(url): the ETag \(etag.quoted) is neither a SHA-256 nor a Git hash"
        case .wrongHash(let file, let expected, let actual):
            "\(file): the bytes that came have the hash \(actual), expected was \(expected); they were thrown away: "
                + "try again"
        case .wrongSize(let file, let expected, let actual):
            "\(file): "
                + (actual > expected ? "more than \(expected) bytes came" : "\(actual) bytes came")
                + ", expected were \(expected)"
        case .insecureRedirect(let from, let to): "\(from) leads to \(to), which is not encrypted"
        case .tooManyRedirects(let url): "\(url) leads from one place to the next without end"
        case .webPage(let url):
            "\(url) answers with a web page, not with a file; it may be shown to those who are logged in, or "
                + "the file's own address is another"
        case .status(let status, let url): "\(url) answers \(status)"
        case .busy(let status, let url, let attempts, let hasToken):
            "\(url) answers \(status), "
                + (status == 429 ? "too many requests" : "that it is overloaded or out of order")
                + ", as it did each of \(attempts) times; try again later, when what has come is not fetched again"
                + (status == 429 && !hasToken ? ", or set HF_TOKEN, with which the hub allows more" : "")
        case .untrusted(let url):
            "\(url) has a certificate that is not trusted: where the network has an authority of its own, name its "
                + "certificates with SSL_CERT_FILE; nothing was asked or sent"
        case .connection(let url, let reason): "\(url) cannot be reached: \(reason)"
        case .malformed(let url, let reason): "\(url): \(reason)"
        case .unwritable(let path, let reason): "\(path): cannot be written: \(reason)"
        case .unknownModel(let name, let nearest):
            "there is no model \(name): neither a file or folder of that path, nor a name that `easel models` lists"
                + (nearest.isEmpty ? "" : "; nearest: " + nearest.joined(separator: ", "))
                + (name.contains("/") && RepositoryReference(name) != nil
                    ? "; fetch it with: easel pull \(name)" : "")
        case .notRemovable(let name, let path?, _):
            "\(name) is in a folder of another program, and is not removed: remove \(path) there"
        case .notRemovable(let name, nil, let nearest):
            "\(name) is no name of anything in Easel's own folder or the hub's cache, from which alone models are removed"
                + (nearest.isEmpty ? "" : "; nearest: " + nearest.joined(separator: ", "))
        }
    }
}
