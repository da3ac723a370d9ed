import Foundation

/// The settings that made a picture, in AUTOMATIC1111's words and form ("infotext"), which other programs read.
public struct GenerationMetadata: Sendable, Hashable {
    public var prompt: String
    public var negativePrompt: String
    public var steps: Int
    /// The sampler's name as AUTOMATIC1111 writes it.
    public var sampler: String
    /// The schedule's name as AUTOMATIC1111 writes it; nil for the sampler's own.
    public var schedule: String?
    public var guidanceScale: Float
    public var seed: UInt64
    /// In pixels.
    public var width: Int
    /// In pixels.
    public var height: Int
    /// The first ten hexadecimal digits of the SHA-256 of the model's file, where it is one file.
    public var modelHash: String?
    /// The model's name.
    public var model: String?
    /// The file's name of an autoencoder that was taken in place of the model's own.
    public var autoencoder: String?
    /// The first ten hexadecimal digits of its SHA-256.
    public var autoencoderHash: String?
    /// The seed of other noise mixed in, and how much of it; nil where there was none.
    public var variation: Variation?
    /// The size that the noise was drawn for; nil for the picture's own.
    public var seedSize: Size?
    /// How much of the picture that it started from was given up for noise, 0…1; nil where there was none.
    public var strength: Double?
    /// Which of the text encoder's layers was read, from the last; nil for the last.
    public var clipSkip: Int?
    /// Which generator noise was drawn from, as AUTOMATIC1111 names it; nil for a graphics processor's, its default.
    public var randomSource: String?
    /// Whether opposite edges fit together.
    public var isTiling = false
    /// Further settings, in AUTOMATIC1111's words, in order.
    public var extras: [Extra] = []
    /// The program that made the picture.
    public var version: String?

    /// Other noise that was mixed in.
    public struct Variation: Sendable, Hashable {
        public let seed: UInt64
        public let strength: Double

        public init(seed: UInt64, strength: Double) {
            self.seed = seed
            self.strength = strength
        }
    }

    /// A size in pixels.
    public struct Size: Sendable, Hashable {
        public let width: Int
        public let height: Int

        public init(width: Int, height: Int) {
            self.width = width
            self.height = height
        }

        /// `512x768`.
        fileprivate init?(_ text: String) {
            let sides = text.split(separator: "x").map { Int($0) }
            guard sides.count == 2, let width = sides[0], let height = sides[1] else { return nil }
            self.init(width: width, height: height)
        }

        fileprivate var text: String { "\(width)x\(height)" }
    }

    /// A further setting.
    public struct Extra: Sendable, Hashable {
        public let key: String
        public let value: String

        public init(_ key: String, _ value: String) {
            self.key = key
            self.value = value
        }
    }

    public init(
        prompt: String, negativePrompt: String, steps: Int, sampler: String, schedule: String? = nil,
        guidanceScale: Float, seed: UInt64, width: Int, height: Int, model: String? = nil,
        version: String? = nil
    ) {
        self.prompt = prompt
        self.negativePrompt = negativePrompt
        self.steps = steps
        self.sampler = sampler
        self.schedule = schedule
        self.guidanceScale = guidanceScale
        self.seed = seed
        self.width = width
        self.height = height
        self.model = model
        self.version = version
    }

    /// The text that a picture carries: the prompt, the negative prompt where there is one, and a line of
    /// settings.
    public var parameters: String {
        var settings: [(key: String, value: String)] = [
            ("Steps", String(steps)), ("Sampler", sampler),
        ]
        if let schedule { settings.append(("Schedule type", schedule)) }
        settings += [
            ("CFG scale", plain(guidanceScale)), ("Seed", String(seed)), ("Size", "\(width)x\(height)"),
        ]
        if let modelHash { settings.append(("Model hash", modelHash)) }
        if let model { settings.append(("Model", model)) }
        if let autoencoderHash { settings.append(("VAE hash", autoencoderHash)) }
        if let autoencoder { settings.append(("VAE", autoencoder)) }
        if let variation {
            settings += [
                ("Variation seed", String(variation.seed)),
                ("Variation seed strength", plain(Float(variation.strength))),
            ]
        }
        if let seedSize { settings.append(("Seed resize from", seedSize.text)) }
        if let strength { settings.append(("Denoising strength", plain(Float(strength)))) }
        if let clipSkip { settings.append(("Clip skip", String(clipSkip))) }
        if let randomSource { settings.append(("RNG", randomSource)) }
        if isTiling { settings.append(("Tiling", "True")) }
        settings += extras.map { ($0.key, $0.value) }
        if let version { settings.append(("Version", version)) }
        let negative = negativePrompt.isEmpty ? [] : ["Negative prompt: \(negativePrompt)"]
        // A setting that says its own name stands alone.
        let line = settings.map { $0.key == $0.value ? $0.key : "\($0.key): \(quoted($0.value))" }
            .joined(separator: ", ")
        return ([prompt] + negative + [line]).joined(separator: "\n")
    }

    /// Reads such a text; nil where it has no line of settings, or one without the numbers that every picture
    /// has.
    public init?(parameters text: String) {
        // By scalars, not characters: "\r\n" is one character, and so is a space with a combining mark.
        var lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
        guard let last = lines.popLast() else { return nil }
        let all = Self.settings(in: last)
        let settings = Dictionary(all.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 })
        // As AUTOMATIC1111 does: a last line with fewer settings is part of the prompt.
        guard settings.count >= 3 else { return nil }
        guard let steps = settings["Steps"].flatMap(Int.init),
            let seed = settings["Seed"].flatMap(UInt64.init),
            let scale = settings["CFG scale"].flatMap(Float.init), let sampler = settings["Sampler"],
            let size = settings["Size"].flatMap(Size.init)
        else { return nil }
        let label = "Negative prompt: ".unicodeScalars
        let start = lines.firstIndex { $0.starts(with: label) } ?? lines.endIndex
        let prompts = [lines[..<start], lines[start...]].map {
            $0.map { String($0) }.joined(separator: "\n").unicodeScalars
        }
        self.init(
            prompt: String(prompts[0]), negativePrompt: String(prompts[1].dropFirst(label.count)),
            steps: steps,
            sampler: sampler, schedule: settings["Schedule type"], guidanceScale: scale, seed: seed,
            width: size.width, height: size.height,
            model: settings["Model"], version: settings["Version"])
        randomSource = settings["RNG"]
        extras = all.filter { !Self.ownKeys.contains($0.key) }
        modelHash = settings["Model hash"]
        autoencoder = settings["VAE"]
        autoencoderHash = settings["VAE hash"]
        if let seed = settings["Variation seed"].flatMap(UInt64.init) {
            let strength = settings["Variation seed strength"].flatMap(Double.init)
            variation = Variation(seed: seed, strength: strength ?? 0)
        }
        seedSize = settings["Seed resize from"].flatMap(Size.init)
        isTiling = settings["Tiling"] == "True"
        clipSkip = settings["Clip skip"].flatMap(Int.init)
        strength = settings["Denoising strength"].flatMap(Double.init)
    }

    /// The keys that have properties of their own.
    private static let ownKeys: Set<String> = [
        "Steps", "Sampler", "Schedule type", "CFG scale", "Seed", "Size", "Model hash", "Model",
        "VAE hash", "VAE", "Variation seed",
        "Variation seed strength", "Seed resize from", "Denoising strength", "Clip skip", "RNG", "Tiling",
        "Version",
    ]

    /// The settings of a line `Key: value, Key: value`, where a value may be a JSON string.
    private static func settings(in line: Substring.UnicodeScalarView) -> [Extra] {
        var settings: [Extra] = []
        var rest = line[...]
        while let colon = rest.firstIndex(of: ":") {
            // What stands alone before the key says nothing more.
            let label = rest[..<colon].split(separator: ",").last.map { String($0) }
            let key = label?.trimmingCharacters(in: .whitespaces) ?? ""
            rest = rest[rest.index(after: colon)...].drop { $0 == " " }
            let value: String
            if rest.first == "\"", let end = endOfString(rest) {
                let literal = String(rest[...end])
                value = (try? JSONDecoder().decode(String.self, from: Data(literal.utf8))) ?? literal
                rest = rest[rest.index(after: end)...]
            } else {
                let end = rest.firstIndex(of: ",") ?? rest.endIndex
                value = String(rest[..<end]).trimmingCharacters(in: .whitespaces)
                rest = rest[end...]
            }
            rest = rest.drop { $0 == "," || $0 == " " }
            if !key.isEmpty { settings.append(Extra(key, value)) }
        }
        return settings
    }

    /// The closing quotation mark of the JSON string that the text begins with.
    private static func endOfString(_ text: Substring.UnicodeScalarView) -> Substring.Index? {
        var isEscaped = false
        for index in text.indices.dropFirst() {
            if isEscaped {
                isEscaped = false
            } else if text[index] == "\\" {
                isEscaped = true
            } else if text[index] == "\"" {
                return index
            }
        }
        return nil
    }
}

/// A number without a fraction that is zero: 7.5, but 7.
private func plain(_ value: Float) -> String {
    value == value.rounded() && value.magnitude < 1e6 ? String(Int(value)) : String(value)
}

/// A value as it is, or as a JSON string where it would not be read back.
private func quoted(_ value: String) -> String {
    let isPlain =
        !value.unicodeScalars.contains { ",:\n\r\"".unicodeScalars.contains($0) }
        && value == value.trimmingCharacters(in: .whitespaces)
    if isPlain { return value }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    guard let literal = try? encoder.encode(value) else { return value }
    return String(decoding: literal, as: UTF8.self)
}
