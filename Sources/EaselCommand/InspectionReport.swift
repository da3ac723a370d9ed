import Easel
import Foundation

/// What is told of a file of weights, for people.
struct InspectionReport {
    let text: String

    private static let wordLimit = 100

    init(_ inspection: FileInspection) {
        var lines = [inspection.path]
        func add(_ label: String, _ value: String?) {
            guard let value else { return }
            lines.append(
                "  " + label.padding(toLength: max(14, label.count + 1), withPad: " ", startingAt: 0)
                    + value.withoutControls)
        }
        let kinds: [FileInspection.Kind: String] = [
            .model: "model", .adapter: "adapter (LoRA)", .embedding: "embedding (textual inversion)",
            .autoencoder: "autoencoder (VAE)", .unknown: "unknown",
        ]
        add("kind", kinds[inspection.kind])
        add("format", "\(inspection.format), \(Self.size(inspection.byteCount))")
        add("family", inspection.family)
        add("predicts", inspection.predictionType)
        add("trained at", inspection.size.map { "\($0[0])×\($0[1]) pixels" })
        for remark in inspection.remarks { add("", remark) }
        for part in inspection.parts {
            let types = part.types.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
            add(
                part.name,
                "\(part.tensors) tensors, \(Self.count(part.values)) values, \(types.joined(separator: ", "))"
            )
        }
        for (key, value) in inspection.metadata.sorted(by: { $0.key < $1.key }) {
            let line = value.split(whereSeparator: \.isNewline).joined(separator: " ")
            let shown = line.count > Self.wordLimit ? "\(line.prefix(Self.wordLimit))…" : line
            lines.append("  \(key.withoutControls) = \(shown.withoutControls)")
        }
        if let hashes = inspection.hashes {
            add("sha256", hashes.sha256)
            add("Model hash", "\(hashes.shortHash) (AutoV2)")
            add("AutoV1", hashes.legacyHash)
            add("AutoV3", hashes.valuesSHA256 == nil ? nil : hashes.valuesHash)
        }
        add("refused", inspection.refusal)
        text = lines.joined(separator: "\n")
    }

    private static func size(_ bytes: Int) -> String {
        let units = [(1e9, "GB"), (1e6, "MB"), (1e3, "kB")]
        guard let unit = units.first(where: { Double(bytes) >= $0.0 }) else { return "\(bytes) bytes" }
        return String(format: "%.2f ", Double(bytes) / unit.0) + unit.1
    }

    private static func count(_ values: Int) -> String {
        values >= 1_000_000 ? String(format: "%.1f M", Double(values) / 1e6) : "\(values)"
    }
}
