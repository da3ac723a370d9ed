import Foundation

extension URL {
    /// Why no server can be asked at the address; nil where one can.
    var fault: String? {
        guard ["http", "https"].contains(scheme?.lowercased()) else { return "is not of http or https" }
        guard host?.isEmpty == false else { return "names no server" }
        // A port that is beyond Int is none to Foundation, and another one would be asked.
        guard let port = absoluteString.firstMatch(of: #/^[^:/]+://[^/?#]*:([0-9]+)(?:[/?#]|$)/#)?.1 else {
            return nil
        }
        if let number = Int(port), (1...65535).contains(number) { return nil }
        return "has the port \(port), where there are 1 to 65535"
    }

    /// The address without what lets people in: no user, no password, and nothing behind a question mark.
    var shown: String {
        guard var parts = URLComponents(url: self, resolvingAgainstBaseURL: true) else { return "an address" }
        (parts.user, parts.password, parts.query, parts.fragment) = (nil, nil, nil, nil)
        return parts.string ?? "an address"
    }

    /// Where a redirect leads, from what it says; nil where that is no address.
    ///
    /// - Throws: ``HubError/insecureRedirect(from:to:)`` where encryption would end,
    ///   ``HubError/malformed(url:reason:)`` where it leads to something else than a server.
    package func redirected(to location: String) throws(HubError) -> URL? {
        guard let target = URL(string: location, relativeTo: self)?.absoluteURL else { return nil }
        if let fault = target.fault {
            throw .malformed(url: shown, reason: "it leads to \(target.shown), which \(fault)")
        }
        if scheme?.lowercased() == "https", target.scheme?.lowercased() != "https" {
            throw .insecureRedirect(from: shown, to: target.shown)
        }
        return target
    }
}

extension String {
    /// An address that somebody wrote, as ``Foundation/URL/shown`` gives it, also where it is none.
    var withoutSecrets: String {
        if let url = URL(string: self), url.host?.isEmpty == false { return url.shown }
        var text = self
        if let at = text.lastIndex(of: "@") {
            let scheme = text[..<at].range(of: "://").map { text[..<$0.upperBound] } ?? ""
            text = String(scheme) + text[text.index(after: at)...]
        }
        return String(text.prefix { !"?#".contains($0) })
    }
}
