import ArgumentParser
import Easel

extension MemoryMode: ExpressibleByArgument {}
extension NetworkResidency: ExpressibleByArgument {}

/// How much memory is taken for speed.
struct MemoryOptions: ParsableArguments {
    @Option(
        help:
            "auto, fast, balanced or minimal: how much memory is taken for speed (default: the fastest that fits)."
    )
    var memory: MemoryMode?
    @Option(help: "The most memory to take, such as 2GB or 1500MB: auto takes the fastest mode that fits.")
    var memoryLimit: ByteCount?
    @Option(
        help:
            "all, unet, one or parts: which networks stay ready; one at a time, or of the U-Net a part at a time."
    )
    var keepNetworks: NetworkResidency?
    @Option(help: "How many million of attention's scores are in memory at once (default: all).")
    var attentionSlice: Int?
    @Flag(
        inversion: .prefixedNo,
        help: ArgumentHelp(
            "Predict with the prompt and without it in turn, in less memory (default: of minimal, for large pictures)."
        ))
    var passesAlone: Bool?
    @Flag(
        inversion: .prefixedNo, exclusivity: .exclusive,
        help: ArgumentHelp(
            "Keep the U-Net's matrices as integers of 8 bits, in groups with a scale (default: as a GGUF file has them)."
        ))
    var compressWeights: Bool?
    @Option(help: "Keep the U-Net's matrices as integers of that many bits: 8 or 4.")
    var compressedWeightBits: Int?
    @Option(help: "The side of the tiles that pictures are encoded and decoded in, in pixels; 0 for none.")
    var vaeTileSize: Int?
    @Option(help: "By how many pixels the tiles overlap (default: a quarter of a tile).")
    var vaeTileOverlap: Int?

    var use: MemoryUse {
        MemoryUse(
            memory ?? .automatic, limit: memoryLimit?.bytes, residency: keepNetworks,
            attentionSlice: attentionSlice, runsPassesAlone: passesAlone,
            compressedWeightBits: compressedWeightBits ?? compressWeights.map { $0 ? 8 : 0 },
            tileSize: vaeTileSize, tileOverlap: vaeTileOverlap)
    }

    /// - Throws: `ValidationError` for what is out of range.
    func check() throws {
        func require(_ option: String, _ value: Int?, _ range: ClosedRange<Int>) throws {
            guard let value, !range.contains(value) else { return }
            throw ValidationError(
                "--\(option) \(value) is not possible: it must be from \(range.lowerBound) to "
                    + "\(range.upperBound).")
        }
        try require("attention-slice", attentionSlice, 1...1_000_000)
        if let compressedWeightBits {
            guard [4, 8].contains(compressedWeightBits) else {
                throw ValidationError(
                    "--compressed-weight-bits \(compressedWeightBits) is not possible: it must be 8 or 4.")
            }
            if compressWeights == false {
                throw ValidationError(
                    "--compressed-weight-bits and --no-compress-weights exclude each other.")
            }
        }
        if vaeTileSize != 0 { try require("vae-tile-size", vaeTileSize, 64...2048) }
        if vaeTileOverlap != nil, (vaeTileSize ?? 0) == 0 {
            throw ValidationError("--vae-tile-overlap needs a --vae-tile-size.")
        }
        try require("vae-tile-overlap", vaeTileOverlap, 0...(vaeTileSize ?? 0) / 2)
    }
}

/// A number of bytes as it is written: 2GB, 1.5GiB, 800MB, or 2000000000.
struct ByteCount: ExpressibleByArgument, Hashable {
    let bytes: Int

    private static let units: [(name: String, bytes: Double)] = [
        ("gib", 0x1p30), ("mib", 0x1p20), ("kib", 0x1p10), ("gb", 1e9), ("mb", 1e6), ("kb", 1e3),
        ("g", 1e9), ("m", 1e6), ("k", 1e3), ("b", 1), ("", 1),
    ]

    init?(argument: String) {
        let text = argument.lowercased()
        guard let unit = Self.units.first(where: { text.hasSuffix($0.name) }) else { return nil }
        let digits = text.dropLast(unit.name.count)
        guard !digits.isEmpty, digits.allSatisfy({ $0.isNumber || $0 == "." }), let number = Double(digits),
            number * unit.bytes >= 1, number * unit.bytes < 1e18
        else { return nil }
        bytes = Int(number * unit.bytes)
    }
}
