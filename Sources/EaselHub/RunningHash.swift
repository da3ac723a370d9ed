import Checkpoints
import Crypto
import Foundation

/// The hash of a file that comes piece by piece.
struct RunningHash {
    private var sha256 = SHA256()
    private var git: Insecure.SHA1?

    /// - Parameters:
    ///   - etag: What the hash will be compared with; of 40 digits, it is Git's.
    ///   - byteCount: Git hashes a file's size before its bytes.
    init(for etag: String?, byteCount: Int) {
        guard etag?.utf8.count == 40 else { return }
        var git = Insecure.SHA1()
        git.update(data: Data("blob \(byteCount)\0".utf8))
        self.git = git
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        if git == nil { sha256.update(bufferPointer: bytes) } else { git?.update(bufferPointer: bytes) }
    }

    var digits: String { git.map { $0.finalize().hexadecimal } ?? sha256.finalize().hexadecimal }
}
