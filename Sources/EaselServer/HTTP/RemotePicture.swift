import AsyncHTTPClient
import Foundation
import NIOCore

/// Fetches pictures that clients give the addresses of, from public machines alone: never from this one, nor from the
/// network that it is in.
struct RemotePicture: Sendable {
    /// The most bytes of a picture.
    let limit: Int
    /// Whether a machine may be asked.
    var isAllowed: @Sendable (SocketAddress) -> Bool = Self.isPublic

    /// - Throws: ``APIError`` where the address is not one of a public machine, or there is no answer.
    func bytes(at text: String, field: String) async throws -> Data {
        func refused(_ reason: String) -> APIError {
            APIError(
                .unprocessableContent, "not_fetched", "the picture was not fetched: \(reason)", field: field)
        }
        guard let url = URL(string: text), ["http", "https"].contains(url.scheme), let host = url.host()
        else {
            throw refused("its address is not one of http or https")
        }
        let port = url.port ?? (url.scheme == "https" ? 443 : 80)
        guard (1...65535).contains(port) else { throw refused("its address has no port from 1 to 65535") }
        let addresses = try await Self.resolve(host, port: port)
        guard let first = addresses.first, addresses.allSatisfy(isAllowed), let number = first.ipAddress
        else {
            throw refused(addresses.isEmpty ? "its host is not known" : "its host is not a public machine")
        }
        var configuration = HTTPClient.Configuration.singletonConfiguration
        // What was resolved is what is asked: a second answer could be another machine's. So could a redirect.
        configuration.dnsOverride = [host: number]
        configuration.redirectConfiguration = .disallow
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let bytes = try await fetch(url, with: client)
            try await client.shutdown()
            return bytes
        } catch {
            try? await client.shutdown()
            throw error as? APIError ?? refused("there was no answer")
        }
    }

    private func fetch(_ url: URL, with client: HTTPClient) async throws -> Data {
        let response = try await client.execute(
            HTTPClientRequest(url: url.absoluteString), timeout: .seconds(20))
        guard response.status == .ok else {
            throw APIError(
                .unprocessableContent, "not_fetched",
                "the picture was not fetched: the answer is \(response.status.code)")
        }
        var body = ByteBuffer()
        for try await part in response.body {
            guard body.readableBytes + part.readableBytes <= limit else {
                throw APIError(
                    .contentTooLarge, "too_large", "the picture is larger than the limit of \(limit) bytes")
            }
            body.writeImmutableBuffer(part)
        }
        return Data(body.readableBytesView)
    }

    /// The addresses that a name has.
    private static func resolve(_ host: String, port: Int) async throws -> [SocketAddress] {
        try await withCheckedThrowingContinuation { continuation in
            // The resolver waits for other machines.
            DispatchQueue.global().async {
                var hints = addrinfo()
                #if os(Linux)
                    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
                #else
                    hints.ai_socktype = SOCK_STREAM
                #endif
                var list: UnsafeMutablePointer<addrinfo>?
                let bare = host.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
                guard getaddrinfo(bare, String(port), &hints, &list) == 0 else {
                    return continuation.resume(returning: [])
                }
                defer { freeaddrinfo(list) }
                var addresses: [SocketAddress] = []
                var next = list
                while let entry = next {
                    if let address = entry.pointee.ai_addr.flatMap(Self.address) { addresses.append(address) }
                    next = entry.pointee.ai_next
                }
                continuation.resume(returning: addresses)
            }
        }
    }

    private static func address(_ raw: UnsafeMutablePointer<sockaddr>) -> SocketAddress? {
        switch Int32(raw.pointee.sa_family) {
        case AF_INET:
            raw.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { SocketAddress($0.pointee) }
        case AF_INET6:
            raw.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { SocketAddress($0.pointee) }
        default: nil
        }
    }

    /// Whether an address is one of the public network (IANA's registries of special-purpose addresses).
    static func isPublic(_ address: SocketAddress) -> Bool {
        switch address {
        case .v4(let v4): isPublic(v4: withUnsafeBytes(of: v4.address.sin_addr) { Array($0) })
        case .v6(let v6): isPublic(v6: withUnsafeBytes(of: v6.address.sin6_addr) { Array($0) })
        case .unixDomainSocket: false
        }
    }

    private static func isPublic(v4 bytes: [UInt8]) -> Bool {
        switch (bytes[0], bytes[1], bytes[2]) {
        case (0, _, _), (10, _, _), (127, _, _), (224..., _, _): false
        case (100, 64...127, _), (169, 254, _), (172, 16...31, _), (192, 168, _), (198, 18...19, _): false
        case (192, 0, 0), (192, 0, 2), (198, 51, 100), (203, 0, 113), (192, 88, 99): false
        default: true
        }
    }

    private static func isPublic(v6 bytes: [UInt8]) -> Bool {
        // Addresses of the other kind inside of these: mapped, translated, 6to4.
        if bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF {
            return isPublic(v4: Array(bytes[12...]))
        }
        if bytes.starts(with: [0x00, 0x64, 0xFF, 0x9B]) { return isPublic(v4: Array(bytes[12...])) }
        if bytes.starts(with: [0x20, 0x02]) { return isPublic(v4: Array(bytes[2..<6])) }
        // Global unicast, without those for documentation and for special purposes.
        return bytes[0] & 0xE0 == 0x20 && !bytes.starts(with: [0x20, 0x01, 0x0D, 0xB8])
            && !(bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] < 0x02)
    }
}
