import ArgumentParser
import Easel
import Foundation
import Imaging

/// The options of several settings in one run. What is made is the product of all sweeps.
struct SweepOptions: ParsableArguments {
    @Option(
        help: """
            Make the picture for each value of an option, as steps=10,20; given twice, for each of both. \
            prompt-replace=cat,dog,fox puts each in the first one's place.
            """)
    var sweep: [Sweep] = []
    @Flag(help: "Write all pictures side by side in one more file; --sweep does so, with labels.")
    var grid = false
    @Option(help: "Make so many variations of the seed's picture; see --subseed-strength (0.15).")
    var variations: Int?

    /// - Throws: `ValidationError`.
    func check() throws {
        if sweep.count > 2 {
            throw ValidationError("--sweep is given \(sweep.count) times; at most two fit a grid.")
        }
        if sweep.count == 2, sweep[0].name == sweep[1].name {
            throw ValidationError("--sweep \(sweep[0].name) is given twice.")
        }
        if let variations, !(1...10_000).contains(variations) {
            throw ValidationError("--variations \(variations) is not possible: it must be from 1 to 10000.")
        }
        let count = sweep.reduce(1) { $0 * $1.values.count }
        if count > 1000 {
            throw ValidationError("--sweep asks for \(count) settings; at most 1000 are made.")
        }
    }

    /// Each combination: the first sweep's values within the second's, as columns within rows.
    var cells: [[(sweep: Sweep, value: String)]] {
        let rows = sweep.count > 1 ? sweep[1].values.map { [(sweep[1], $0)] } : [[]]
        return rows.flatMap { row in
            sweep.first.map { first in first.values.map { [(first, $0)] + row } } ?? [row]
        }
    }

    /// The pictures of all cells in one; row by row.
    func gridded(_ cells: [Image?]) -> Image {
        PictureGrid(
            cells, columns: sweep.first?.values.count, columnLabels: sweep.first?.labels ?? [],
            rowLabels: sweep.count > 1 ? sweep[1].labels : []
        ).image
    }
}

/// An option and its values: `steps=10,20`. A comma in a value has a backslash before it.
struct Sweep: ExpressibleByArgument {
    let name: String
    let values: [String]

    /// Options that concern the whole run.
    private static let fixed: Set<String> = OptionCatalogue(of: ModelOptions.self).names
        .union(OptionCatalogue(of: SweepOptions.self).names)
        .union([
            "output", "quality", "count", "batch-size", "from", "preview", "preview-protocol", "quiet",
            "json",
        ])
    static let promptReplace = "prompt-replace"

    init?(argument: String) {
        guard let equals = argument.firstIndex(of: "=") else { return nil }
        name = String(argument[..<equals].drop { $0 == "-" })
        var values = [""]
        var isEscaped = false
        for character in argument[argument.index(after: equals)...] {
            if isEscaped || character != "," && character != "\\" {
                if isEscaped, character != "," { values[values.count - 1].append("\\") }
                values[values.count - 1].append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                values.append("")
            }
        }
        self.values = values
        let isWord = !name.isEmpty && name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "-" }
        guard isWord, !Self.fixed.contains(name), values.count < 1000 else { return nil }
        if name == Self.promptReplace, values[0].isEmpty { return nil }
    }

    /// What stands beside the pictures of each value.
    var labels: [String] { values.map { name == Self.promptReplace ? $0 : "\(name) \($0)" } }
}

/// A value that its option does not take.
struct SweepError: Error, CustomStringConvertible {
    let reason: String
    var description: String { "--sweep: \(reason)" }
}
