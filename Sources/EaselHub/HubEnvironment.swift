import Foundation

/// Where models are kept and come from, as the environment of Hugging Face's own programs says, so that both share one
/// cache.
public struct HubEnvironment: Sendable {
    /// `HF_HUB_CACHE`, else `hub` in `HF_HOME`.
    public var cache: URL
    /// `HF_ENDPOINT`, else Hugging Face's own hub.
    public var endpoint: URL { didSet { wrongEndpoint = nil } }
    /// What `HF_ENDPOINT` says, where it is no address of a server: then no server is asked anything.
    private(set) var wrongEndpoint: String?
    /// `HF_TOKEN`, else the file of `huggingface-cli login`; nil for none, and with `HF_HUB_DISABLE_IMPLICIT_TOKEN`.
    public var token: String?
    /// `HF_HUB_OFFLINE`: nothing is asked of the network.
    public var isOffline: Bool
    /// `SSL_CERT_FILE`, else `REQUESTS_CA_BUNDLE`: the certificates that are trusted, as PEM, instead of the system's; for
    /// networks with an authority of their own.
    public var certificates: URL?
    /// Easel's own folder of models: `EASEL_MODELS`, else `easel/models` among the user's data.
    public var ownFolder: URL

    /// Reads environment variables.
    public init(_ variables: [String: String] = ProcessInfo.processInfo.environment) {
        func folder(_ names: String...) -> URL? {
            names.lazy.compactMap { variables[$0] }.first { !$0.isEmpty }
                .map { URL(filePath: ($0 as NSString).expandingTildeInPath) }
        }
        let home =
            folder("HOME") ?? FileManager.default.homeDirectoryForCurrentUser
        let hubHome =
            folder("HF_HOME")
            ?? (folder("XDG_CACHE_HOME") ?? home.appending(path: ".cache")).appending(path: "huggingface")
        cache = folder("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE") ?? hubHome.appending(path: "hub")
        let named = variables["HF_ENDPOINT"].flatMap { $0.isEmpty ? nil : $0 }
        let address = named.flatMap { URL(string: $0) }.flatMap { $0.fault == nil ? $0 : nil }
        endpoint = address ?? URL(string: "https://huggingface.co")!
        wrongEndpoint = address == nil ? named : nil
        certificates = folder("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
        func isSet(_ name: String) -> Bool {
            ["1", "ON", "YES", "TRUE"].contains(variables[name]?.uppercased() ?? "")
        }
        isOffline = isSet("HF_HUB_OFFLINE") || isSet("TRANSFORMERS_OFFLINE")
        let file = folder("HF_TOKEN_PATH") ?? hubHome.appending(path: "token")
        let tokens =
            ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"].lazy.compactMap { variables[$0] }
            + [(try? String(contentsOf: file, encoding: .utf8)) ?? ""]
        token =
            isSet("HF_HUB_DISABLE_IMPLICIT_TOKEN")
            ? nil
            : tokens.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }.first { !$0.isEmpty }
        ownFolder =
            folder("EASEL_MODELS")
            ?? (folder("XDG_DATA_HOME") ?? home.appending(path: ".local/share"))
            .appending(path: "easel/models")
    }
}
