import Checkpoints
import Foundation

/// Whether a safetensors file came as a whole, which its header tells where no server said how long it is.
enum DownloadedTensors {
    /// - Parameters:
    ///   - file: What came.
    ///   - name: What it will be called; only safetensors files are looked into.
    /// - Returns: Why it is not kept; nil where its header says that all came, and where it has none that can be read, of
    ///   which its reader tells.
    static func refusal(_ file: URL, named name: String, url: String) -> HubError? {
        guard name.lowercased().hasSuffix(".safetensors") else { return nil }
        do {
            _ = try SafetensorsHeader(contentsOf: file)
            return nil
        } catch let error as SafetensorsError {
            let reason: String
            switch error.problem {
            case .headerBeyondFile(let bytes, let fileBytes):
                reason = "its header is of \(bytes) bytes, and \(fileBytes) bytes came"
            case .beyondEnd(_, let end, let dataBytes):
                reason =
                    "a tensor ends at the byte \(end) behind its header, and \(dataBytes) bytes came of those"
            case .trailing(let bytes):
                reason = "\(bytes) bytes more came than its header says"
            default: return nil
            }
            return .malformed(
                url: url,
                reason: "this is not a whole safetensors file, and was not kept: \(reason); try again")
        } catch { return nil }
    }
}
