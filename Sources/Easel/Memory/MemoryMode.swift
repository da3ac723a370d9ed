/// How much memory a model takes for speed: a choice of ``MemoryUse``'s parts.
public enum MemoryMode: String, Sendable, Hashable, CaseIterable {
    /// The fastest of the others that fits in the memory there is, or in the limit.
    case automatic = "auto"
    /// All networks stay ready.
    case fast
    /// The U-Net stays ready; the text encoder and the autoencoder are let go when they have done their work. Large
    /// pictures are decoded in tiles.
    case balanced
    /// One network at a time, the U-Net in parts whose weights are read again in each step, for a GPU with memory of its own
    /// from the machine's; pictures are decoded in tiles.
    case minimal
}

/// Which networks stay ready between their uses.
public enum NetworkResidency: String, Sendable, Hashable, CaseIterable {
    /// All that were used last.
    case all
    /// The U-Net.
    case unet
    /// None: one network at a time is in memory.
    case one
    /// None, and of the U-Net one part at a time: its weights stay on disk, and are read again in each step.
    case parts
}

/// How a model is kept in memory and how its networks are run.
public struct MemoryUse: Sendable, Hashable {
    public var mode: MemoryMode
    /// In bytes, the most that the process may take; nil for what the machine has.
    public var limit: Int?
    /// Which networks stay ready; nil is the mode's.
    public var residency: NetworkResidency?
    /// How many millions of attention's scores are in memory at once; nil is all, but for the autoencoder's.
    public var attentionSlice: Int?
    /// Whether the U-Net predicts with the prompt and without it in turn, in half of the memory for its values; nil is the
    /// mode's: `minimal` does for pictures of 1024×1024 pixels and more.
    public var runsPassesAlone: Bool?
    /// As integers of how many bits the U-Net's matrices stay in memory, each group of 32 numbers with a scale, whatever the
    /// arithmetic: 8 or 4, or 0 for floating-point numbers. Nil is what the model's file has: at half precision GGUF's blocks
    /// stay integers, of 4 bits where they are `q4_0`, of 8 where they are others.
    public var compressedWeightBits: Int?
    /// The side in pixels of the tiles that pictures are encoded and decoded in; 0 for none, nil is the mode's.
    public var tileSize: Int?
    /// By how many pixels tiles overlap; nil is a quarter of a tile.
    public var tileOverlap: Int?

    public init(
        _ mode: MemoryMode = .automatic, limit: Int? = nil, residency: NetworkResidency? = nil,
        attentionSlice: Int? = nil, runsPassesAlone: Bool? = nil, compressedWeightBits: Int? = nil,
        tileSize: Int? = nil, tileOverlap: Int? = nil
    ) {
        self.mode = mode
        self.limit = limit
        self.residency = residency
        self.attentionSlice = attentionSlice
        self.runsPassesAlone = runsPassesAlone
        self.compressedWeightBits = compressedWeightBits
        self.tileSize = tileSize
        self.tileOverlap = tileOverlap
    }

    /// The modes that are tried in turn, the fastest first.
    var modes: [MemoryMode] { mode == .automatic ? [.fast, .balanced, .minimal] : [mode] }

    /// - Throws: ``RequestError/outOfRange(field:value:range:)``.
    func check() throws(RequestError) {
        func require(_ field: String, _ value: Int?, _ range: ClosedRange<Int>) throws(RequestError) {
            guard let value, !range.contains(value) else { return }
            throw .outOfRange(
                field: field, value: "\(value)", range: "from \(range.lowerBound) to \(range.upperBound)")
        }
        try require("memory limit", limit, 1...Int.max)
        try require("attention slice", attentionSlice, 1...1_000_000)
        if let compressedWeightBits, ![0, 4, 8].contains(compressedWeightBits) {
            throw .outOfRange(
                field: "bits of compressed weights", value: "\(compressedWeightBits)",
                range: "8 or 4, or 0 for none")
        }
        if tileSize != 0 { try require("VAE tile size", tileSize, 64...2048) }
        if let tileOverlap {
            let most = max((tileSize ?? 0) / 2, 0)
            guard (0...max(most, 0)).contains(tileOverlap) else {
                throw .outOfRange(
                    field: "VAE tile overlap", value: "\(tileOverlap)",
                    range: tileSize ?? 0 > 0
                        ? "from 0 to half of the tile's size, \(most)" : "given together with a tile size")
            }
        }
    }
}

/// A mode's parts, for pictures of one size.
struct MemoryPlan: Sendable, Hashable {
    let mode: MemoryMode
    let residency: NetworkResidency
    /// How many of attention's scores are in memory at once.
    let scoresAtOnce: Int
    /// The same in the autoencoder, whose attention has one head of so many channels that no engine fuses it.
    var autoencoderScoresAtOnce: Int { min(scoresAtOnce, 4 << 20) }
    /// Whether the U-Net's passes are run one after the other, where they can be.
    let runsPassesAlone: Bool
    /// In latent cells; nil where pictures are not tiled.
    let tile: Tile?

    struct Tile: Sendable, Hashable {
        let size: Int
        let overlap: Int
    }

    /// - Parameters:
    ///   - height: In latent cells, as the width.
    ///   - factor: The number of pixels in a latent cell's side.
    init(_ mode: MemoryMode, _ use: MemoryUse, height: Int, width: Int, factor: Int) {
        self.mode = mode
        let residencies: [MemoryMode: NetworkResidency] = [.balanced: .unet, .minimal: .parts]
        residency = use.residency ?? residencies[mode] ?? .all
        // For engines that do not fuse attention. OpenVINO does, and takes minutes to compile thousands of slices.
        scoresAtOnce = use.attentionSlice.map { $0 << 20 } ?? .max
        let pixels = height * width * factor * factor
        // A part of the U-Net is compiled for each pass then, which smaller pictures do not outweigh.
        runsPassesAlone = use.runsPassesAlone ?? (mode == .minimal && pixels >= 1024 * 1024)
        var side = use.tileSize
        if side == nil, mode == .minimal { side = 256 }
        if side == nil, mode == .balanced, pixels > 640 * 640 { side = 512 }
        guard let side, side > 0, height > side / factor || width > side / factor else {
            tile = nil
            return
        }
        let size = max(side / factor, 2)
        tile = Tile(size: size, overlap: min((use.tileOverlap ?? side / 4) / factor, size / 2))
    }
}
