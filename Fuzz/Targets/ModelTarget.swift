import Easel
import Foundation

private let tokenizer = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Tests/Golden/models/tiny-sd1/tokenizer")

/// Any file of weights is looked at: what it is, and why it is refused.
func checkModelFile(_ bytes: [UInt8]) throws(Broken) {
    guard let file = try DescribedFile(bytes, name: "model") else { return }
    let inspection: FileInspection
    do { inspection = try FileInspection(of: file.url, vocabulary: tokenizer, hashes: false) } catch {
        return try require(!"\(error)".isEmpty, "refused without a reason")
    }
    try require(inspection.refusal != "", "refused without a reason")
    try require(inspection.kind != .unknown || inspection.refusal != nil, "unknown, and not refused")
}
