/// A prompt with choices, as the extension "dynamic prompts" of AUTOMATIC1111's web UI writes them.
///
/// `{red|green|blue}` is one of its options; `{3::red|green}` red three times as often; `{2$$a|b|c}` two of them with a
/// comma between, `{1-2$$ and $$a|b|c}` one or two with ` and ` between; `__colours__` a line of the file `colours.txt`
/// among the wildcards. Options and lines may have choices in them; a backslash takes a brace's meaning away.
public struct DynamicPrompt: Sendable, Hashable {
    /// What the prompt was written as.
    public let template: String
    private let nodes: [Node]

    indirect enum Node: Sendable, Hashable {
        case text(String)
        case choice(Choice)
        /// The name between two pairs of low lines.
        case wildcard(String)
    }

    struct Choice: Sendable, Hashable {
        struct Option: Sendable, Hashable {
            let weight: Double
            let nodes: [Node]
        }

        let options: [Option]
        /// How many of them are taken, none twice.
        let count: ClosedRange<Int>
        let separator: String
    }

    /// More choices than this, or wildcards in wildcards, are taken for ones without end.
    static let choiceLimit = 10_000
    static let depthLimit = 64

    public init(_ template: String) {
        self.template = template
        var parser = DynamicPromptParser(template)
        nodes = parser.nodes()
    }

    /// Whether there is anything to choose.
    public var hasChoices: Bool {
        nodes.contains { if case .text = $0 { false } else { true } }
    }

    /// The prompt with every choice made; the same for the same seed.
    ///
    /// - Parameter wildcards: Where the wildcards' files are; without it they are text.
    /// - Throws: ``DynamicPromptError``, `FileError`.
    public func resolved(seed: UInt64, wildcards: Wildcards? = nil) throws -> String {
        guard hasChoices else { return plainText(of: nodes) }
        var resolution = Resolution(generator: SplitMix64(seed: seed), wildcards: wildcards)
        return try resolution.text(of: nodes)
    }

    private func plainText(of nodes: [Node]) -> String {
        nodes.map { if case .text(let text) = $0 { text } else { "" } }.joined()
    }
}

/// The choices of one prompt being made.
private struct Resolution {
    var generator: SplitMix64
    let wildcards: Wildcards?
    private var choices = 0
    private var depth = 0

    init(generator: SplitMix64, wildcards: Wildcards?) {
        self.generator = generator
        self.wildcards = wildcards
    }

    mutating func text(of nodes: [DynamicPrompt.Node]) throws -> String {
        var result = ""
        for node in nodes {
            switch node {
            case .text(let text): result += text
            case .choice(let choice):
                try count()
                result += try taken(from: choice)
            case .wildcard(let name):
                guard let wildcards else {
                    result += "__\(name)__"
                    continue
                }
                try count()
                let lines = try wildcards.lines(named: name)
                depth += 1
                defer { depth -= 1 }
                guard depth <= DynamicPrompt.depthLimit else {
                    throw DynamicPromptError.endless
                }
                var parser = DynamicPromptParser(lines[generator.index(below: lines.count)])
                result += try text(of: parser.nodes())
            }
        }
        return result
    }

    private mutating func count() throws(DynamicPromptError) {
        choices += 1
        guard choices <= DynamicPrompt.choiceLimit else { throw .endless }
    }

    private mutating func taken(from choice: DynamicPrompt.Choice) throws -> String {
        var left = choice.options
        let most = min(choice.count.upperBound, left.count)
        let least = min(choice.count.lowerBound, most)
        let wanted = least + generator.index(below: most - least + 1)
        var texts: [String] = []
        while texts.count < wanted {
            let total = left.reduce(0) { $0 + $1.weight }
            guard total > 0 else { break }
            var place = generator.uniform() * total
            let index =
                left.firstIndex { option in
                    place -= option.weight
                    return place < 0
                } ?? left.count - 1
            texts.append(try text(of: left.remove(at: index).nodes))
        }
        return texts.joined(separator: choice.separator)
    }
}

/// Steele et al., "Fast splittable pseudorandom number generators", 2014.
private struct SplitMix64 {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// From 0 to below 1. The standard library's numbers may change with its version; these may not.
    mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    mutating func index(below count: Int) -> Int { Int(uniform() * Double(count)) }

    private mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Why a prompt's choices cannot be made.
public enum DynamicPromptError: Error, Sendable, Hashable, CustomStringConvertible {
    /// No file of the folder has that name.
    case unknownWildcard(name: String, folder: String, known: [String])
    /// The files of that name have no line to take.
    case emptyWildcard(name: String, folder: String)
    /// A wildcard leads to itself, or there is no end to the choices.
    case endless

    public var description: String {
        switch self {
        case .unknownWildcard(let name, let folder, let known):
            "the wildcard __\(name)__ is not known: there is no \(name).txt in \(folder); there are: "
                + (known.isEmpty
                    ? "none" : known.prefix(12).joined(separator: ", ") + (known.count > 12 ? ", …" : ""))
        case .emptyWildcard(let name, let folder):
            "the wildcard __\(name)__ has no line to take in \(folder)"
        case .endless: "the prompt's choices have no end: does a wildcard's file name itself?"
        }
    }
}
