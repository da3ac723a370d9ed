import Foundation

/// The LoRAs that a prompt names, `<lora:name:0.8>`, as AUTOMATIC1111 has them.
public struct ExtraNetworks: Sendable, Hashable {
    public struct LoRA: Sendable, Hashable {
        /// The file's name without its ending.
        public let name: String
        /// How strongly the U-Net is changed.
        public let weight: Float
        /// How strongly the text encoders are.
        public let textEncoderWeight: Float
        /// How many of its matrices' ranks are used at most; nil for all.
        public let rankLimit: Int?
    }

    /// The prompt without them.
    public let text: String
    public let loras: [LoRA]
    /// The first weight that is no number, as a tag has it: `<lora:ink:nan>`.
    public let fault: PromptError?

    /// Reads a prompt of a syntax: of ``PromptSyntax/a1111`` without its comments, which name none; of
    /// ``PromptSyntax/plain`` all is text.
    public init(_ prompt: String, syntax: PromptSyntax) {
        switch syntax {
        case .plain: self.init(text: prompt)
        case .a1111: self.init(PromptComments.stripped(from: prompt))
        case .compel, .comfyui, .stableDiffusionCpp: self.init(prompt)
        }
    }

    /// Reads `<lora:name>`, `<lora:name:te>`, `<lora:name:te:unet>` and `<lora:name:te:unet:dyn>`; these may be named too,
    /// `te=`, `unet=` and `dyn=`. A weight that is not given is that of the text encoder, or 1; `dyn` is how many ranks are
    /// used, from 1. `lyco` means the same. What is not so is left as text.
    public init(_ prompt: String) {
        var text = ""
        var loras: [LoRA] = []
        var fault: PromptError?
        var rest = prompt[...]
        while let start = rest.firstIndex(of: "<") {
            let inside = rest[rest.index(after: start)...]
            // An end is looked for behind a tag's beginning alone: of other brackets there may be thousands without one.
            guard ["lora:", "lyco:"].contains(inside.prefix(5).lowercased()),
                let end = inside.firstIndex(of: ">"), let lora = LoRA(tag: inside[..<end])
            else {
                text += rest[...start]
                rest = inside
                continue
            }
            text += rest[..<start]
            loras.append(lora)
            let tag = "<\(inside[..<end])>"
            fault = fault ?? LoRA.fault(of: inside[..<end]).map { .loraWeight(tag: tag, weight: $0) }
            rest = inside[inside.index(after: end)...]
        }
        self.init(text: text + rest, loras: loras, fault: fault)
    }

    private init(text: String, loras: [LoRA] = [], fault: PromptError? = nil) {
        self.text = text
        self.loras = loras
        self.fault = fault
    }
}

extension ExtraNetworks.LoRA {
    /// What stands where a weight should, and is no finite number. What follows the first weight without a name may be
    /// another program's, such as blocks that are left out, and is passed over where it is a word.
    fileprivate static func fault(of tag: Substring) -> String? {
        let parts = tag.split(separator: ":", omittingEmptySubsequences: false).dropFirst(2)
        var place = 0
        for part in parts {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = pair.last ?? ""
            if pair.count == 2 {
                guard ["te", "unet"].contains(pair[0]) else { continue }
                if number(value)?.isFinite != true { return String(part) }
                continue
            }
            defer { place += 1 }
            guard place < 2, !value.allSatisfy(\.isWhitespace) else { continue }
            if number(value).map({ !$0.isFinite }) ?? (place == 0) { return String(part) }
        }
        return nil
    }

    /// - Parameter tag: What is between the brackets.
    fileprivate init?(tag: Substring) {
        let parts = tag.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count > 1, ["lora", "lyco"].contains(parts[0].lowercased()), !parts[1].isEmpty else {
            return nil
        }
        var places: [Float?] = []
        var named: [Substring: Float] = [:]
        for part in parts.dropFirst(2) {
            let pair = part.split(separator: "=", maxSplits: 1)
            if pair.count == 2 {
                guard let value = number(pair[1]), value.isFinite else { continue }
                named[pair[0]] = value
            } else {
                places.append(number(part).flatMap { $0.isFinite ? $0 : nil })
            }
        }
        name = String(parts[1])
        textEncoderWeight = named["te"] ?? places.first.flatMap { $0 } ?? 1
        weight = named["unet"] ?? (places.count > 1 ? places[1] : nil) ?? textEncoderWeight
        let limit = named["dyn"] ?? (places.count > 2 ? places[2] : nil)
        rankLimit = limit.flatMap { Int(exactly: $0) }.flatMap { $0 > 0 ? $0 : nil }
    }
}

/// A number with spaces around it, as Python reads it; nil for what is none.
private func number(_ text: Substring) -> Float? { Float(text.trimmingCharacters(in: .whitespaces)) }
