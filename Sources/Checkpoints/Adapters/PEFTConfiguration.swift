import Foundation

/// How strongly PEFT takes an adapter's matrices, which its files of matrices do not say: `adapter_config.json` beside
/// `adapter_model.safetensors`, or what diffusers writes of it into a file's own notes, `lora_adapter_metadata`.
struct PEFTConfiguration: Sendable {
    static let fileName = "adapter_config.json"
    static let metadataKey = "lora_adapter_metadata"

    private let rank: Double
    private let alpha: Double
    /// The first that matches counts.
    private let ranks: [(Pattern, Double)]
    private let alphas: [(Pattern, Double)]
    /// Whether the change is divided by the rank's square root (Kalajdzievski 2023, arXiv 2312.03732).
    private let usesSquareRoot: Bool

    /// The layers that a number is for: PEFT takes a regular expression that a path's last parts match. All that its own
    /// writers make are plain paths.
    private struct Pattern {
        let path: String
        let isWhole: Bool

        init?(_ text: String) {
            let isWhole = text.hasPrefix("^")
            let path = String(text.dropFirst(isWhole ? 1 : 0)).replacing("\\.", with: ".")
            let isPlain = path.utf8.allSatisfy { $0 == 0x2E || $0 == 0x5F || UInt8.isAlphanumeric($0) }
            guard !path.isEmpty, isPlain else { return nil }
            (self.path, self.isWhole) = (path, isWhole)
        }

        func matches(_ layer: String) -> Bool {
            layer == path || !isWhole && layer.hasSuffix("." + path)
        }
    }

    /// What a file's notes say of each network; under nil, of a network that is not named.
    ///
    /// - Throws: `JSONError`, `ConfigurationError`, ``AdapterError``.
    static func all(in metadata: [String: String], path: String) throws -> [AdapterKey.Network?: Self] {
        guard let text = metadata[metadataKey] else { return [:] }
        let document = try JSONValue(
            parsing: Array(text.utf8), named: "\(path), \(metadataKey)", dialect: .python)
        let prefixes: [(String, AdapterKey.Network)] = [
            ("unet.", .unet), ("text_encoder.", .textEncoder(0)), ("text_encoder_2.", .textEncoder(1)),
        ]
        var members: [AdapterKey.Network?: JSONObject] = [:]
        for member in document.objectValue?.members ?? [] {
            let prefix = prefixes.first { member.key.hasPrefix($0.0) }
            let key = String(member.key.dropFirst(prefix?.0.count ?? 0))
            _ = members[prefix?.1, default: JSONObject()].append(member.value, for: key)
        }
        return try members.mapValues { try Self(Configuration($0, path: path)) }
    }

    /// - Throws: `ConfigurationError`, ``AdapterError`` for what changes a model in another way.
    init(_ configuration: Configuration) throws {
        let start = configuration.value("init_lora_weights")?.stringValue ?? ""
        for changing in ["pissa", "olora", "corda", "loftq"] where start.hasPrefix(changing) {
            throw AdapterError.unsupported(
                path: configuration.path,
                kind: "an adapter that changes the model's own weights before (\(start))")
        }
        let alphaKey = configuration.has("lora_alpha") ? "lora_alpha" : "alpha"
        rank = Double(try configuration.integer("r", default: 8, in: 1...1_000_000))
        alpha = try configuration.number(alphaKey, default: 8, in: -1e9...1e9)
        ranks = try Self.patterns("rank_pattern", configuration, in: 1...1e9)
        alphas = try Self.patterns("alpha_pattern", configuration, in: -1e9...1e9)
        usesSquareRoot = try configuration.bool("use_rslora", default: false)
    }

    private static func patterns(
        _ key: String, _ configuration: Configuration, in range: ClosedRange<Double>
    ) throws -> [(Pattern, Double)] {
        let members = try configuration.object(key)?.members.members ?? []
        return try members.map { member in
            guard let pattern = Pattern(member.key), let number = member.value.numberValue?.double,
                range.contains(number)
            else {
                throw configuration.error(key, expected: "an object with a number for each path of layers")
            }
            return (pattern, number)
        }
    }

    /// What a layer's change is multiplied by.
    ///
    /// - Parameters:
    ///   - path: The layer's, with dots.
    ///   - rank: That of its matrices; nil where they do not show it.
    func scale(of path: String, rank own: Int?) -> Float {
        func number(_ patterns: [(Pattern, Double)]) -> Double? { patterns.first { $0.0.matches(path) }?.1 }
        let rank = own.map { Double($0) } ?? number(ranks) ?? self.rank
        return Float((number(alphas) ?? alpha) / (usesSquareRoot ? rank.squareRoot() : rank))
    }
}

extension UInt8 {
    fileprivate static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}
