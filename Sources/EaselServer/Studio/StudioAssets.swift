import Crypto
import Foundation

/// The files that the studio is made of, which are part of the program.
enum StudioAssets {
    struct Asset: Sendable {
        let bytes: Data
        let type: String
        /// Changes with the bytes.
        let tag: String

        init(_ bytes: [UInt8], _ type: String) {
            self.bytes = Data(bytes)
            self.type = type
            tag = SHA256.hash(data: self.bytes).prefix(8).map { String(format: "%02x", $0) }.joined()
        }
    }

    static let all: [String: Asset] = [:]
}
