import EaselHub
import Foundation

/// What a hub answers is believed only as far as it names files below a folder, hashes and sizes. The bytes are headers,
/// a line each, an empty line, and a list of files.
func checkHub(_ bytes: [UInt8]) throws(Broken) {
    let commit = String(repeating: "0123456789", count: 4)
    guard let url = URL(string: "https://hub.test/a/b") else { return }
    var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)[...]
    var headers: [String: String] = [:]
    while let line = lines.popFirst(), !line.isEmpty {
        let pair = line.split(separator: 0x3A, maxSplits: 1).map { String(decoding: $0, as: UTF8.self) }
        if pair.count == 2 { headers[pair[0].lowercased()] = pair[1] }
    }
    let file = Result { () throws(HubError) in
        try RemoteFile(path: "a", url: url, commit: commit) { headers[$0.lowercased()] }
    }
    switch file {
    case .success(let file):
        let etag = file.etag ?? ""
        try require(
            [40, 64].contains(etag.utf8.count)
                && etag.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) },
            "kept as \(etag)")
        try require((0...RemoteFile.sizeLimit).contains(file.byteCount ?? -1), "a size of \(file)")
    case .failure(let error): try require(!error.description.isEmpty, "refused without a reason")
    }
    if let location = headers["location"], let target = try? url.redirected(to: location) {
        try require(target.scheme?.lowercased() == "https", "encryption ends at \(target)")
    }
    if let delay = headers["retry-after"].flatMap({ HubHeader.delay($0) }) {
        try require(delay >= .zero && delay <= .seconds(300), "\(delay)")
    }
    if let range = headers["content-range"].flatMap({ HubHeader.range($0) }) {
        try require(range.start >= 0 && range.size ?? 0 >= 0, "\(range)")
    }
    _ = headers["content-disposition"].flatMap { HubHeader.fileName(inDisposition: $0) }

    let list = Array(lines.joined(separator: [0x0A]))
    guard let listing = try? RevisionListing(parsing: list, url: "input"),
        let selection = try? FileSelection(listing.names, of: "a/b")
    else { return }
    for variant in [nil, "fp16"] {
        for name in (try? selection.model(variant: variant)) ?? [] {
            try require(listing.names.contains(name), "\(name) is not in the list")
            let path = URL(filePath: "/cache").appending(path: name).standardizedFileURL.path
            try require(path.hasPrefix("/cache/"), "\(name) leads out of the cache")
        }
    }
}

/// What names a repository names nothing outside of the cache.
func checkSource(_ bytes: [UInt8]) throws(Broken) {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let endpoint = URL(string: "https://hub.test"),
        let source = try? PullSource(text, endpoint: endpoint)
    else { return }
    guard case .repository(let reference, _) = source else { return }
    let root = URL(filePath: "/cache")
    let cache = HubCache(at: root)
    let snapshot = cache.snapshot(reference.revision, of: reference.id).standardizedFileURL.path
    try require(snapshot.hasPrefix("/cache/models--"), "\(reference) is at \(snapshot)")
    try require(
        RepositoryReference(reference.description) == reference, "\(reference) is not read as it is written")
}
