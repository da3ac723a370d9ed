import ArgumentParser
import Foundation

/// The options of a command or of a group of them, by their long names, as the parser knows them.
struct OptionCatalogue {
    /// Those that take a value, and whether they can be given more than once.
    let isRepeatable: [String: Bool]
    /// Those that take none.
    let flags: Set<String>

    var names: Set<String> { flags.union(isRepeatable.keys) }

    private struct Description: Decodable {
        struct Command: Decodable { let arguments: [Argument]? }
        struct Argument: Decodable {
            struct Name: Decodable {
                let kind: String
                let name: String
            }
            let kind: String
            let isRepeating: Bool
            let names: [Name]?
        }
        let command: Command
    }

    init(of arguments: any ParsableArguments.Type) {
        let description = try? JSONDecoder().decode(
            Description.self, from: Data(arguments._dumpHelp().utf8))
        var (isRepeatable, flags): ([String: Bool], Set<String>) = ([:], [])
        for argument in description?.command.arguments ?? [] {
            for name in argument.names ?? [] where name.kind == "long" {
                if argument.kind == "flag" {
                    flags.insert(name.name)
                } else {
                    isRepeatable[name.name] = argument.isRepeating
                }
            }
        }
        (self.isRepeatable, self.flags) = (isRepeatable, flags)
    }
}
