import ArgumentParser
import Checkpoints
import Foundation

/// What is set beside a command's words: in the environment, as `EASEL_…`, and under that in a file of JSON. Both are read
/// as the words that say the same, so that they mean what the options mean, and what no option takes is refused.
struct LayeredSettings<Command: ParsableCommand> {
    /// By the options' names.
    private var words: [String: [String]] = [:]
    private let catalogue = OptionCatalogue(of: Command.self)

    /// Options that are no settings.
    private static var excluded: Set<String> { ["config", "help", "version"] }

    /// - Parameter path: The file; nil for none.
    /// - Throws: `JSONError` or ``SettingsFileError`` for the file, ``LayeredSettingsError`` for the environment.
    init(file path: String?, environment: [String: String] = ProcessInfo.processInfo.environment) throws {
        if let path { words = try words(ofFile: path) }
        for (name, words) in try words(of: environment) { self.words[name] = words }
    }

    /// The command with what its words do not say taken from the settings; what can be repeated is added to.
    ///
    /// - Parameter own: The command's words, which have been understood without the settings.
    /// - Throws: ``LayeredSettingsError`` where the environment says what no option takes, or settings and words exclude
    ///   each other.
    func command(_ own: [String]) throws(LayeredSettingsError) -> Command {
        let set = words.filter { name, _ in
            !catalogue.flags.contains(name) || !own.contains { $0 == "--\(name)" || $0 == "--no-\(name)" }
        }
        do { return try Command.parse(set.values.flatMap { $0 } + own) } catch {
            throw LayeredSettingsError(reason: Command.message(for: error))
        }
    }

    // MARK: The file

    private func words(ofFile path: String) throws -> [String: [String]] {
        let bytes: Data
        do { bytes = try Data(contentsOf: URL(filePath: path)) } catch {
            throw SettingsFileError(path: path, reason: error.localizedDescription)
        }
        let document = try JSONValue(parsing: Array(bytes), named: path)
        guard let members = document.objectValue?.members else {
            throw SettingsFileError(path: path, reason: "it is no JSON object")
        }
        var words: [String: [String]] = [:]
        for member in members {
            let name = member.key
            guard !Self.excluded.contains(name) else {
                throw SettingsFileError(path: path, reason: "\(name.quoted) is no setting")
            }
            guard let said = self.words(name, member.value) else {
                throw SettingsFileError(path: path, reason: "\(name.quoted) takes one value, and no object")
            }
            words[name] = said
        }
        // The parser names what is no option, and the nearest that is one.
        do { _ = try Command.parse(words.values.flatMap { $0 }) } catch {
            throw SettingsFileError(path: path, reason: Command.message(for: error))
        }
        return words
    }

    /// The words that say the value of an option; none for one that is not set, and nil where it cannot be said.
    private func words(_ name: String, _ value: JSONValue) -> [String]? {
        switch value {
        case .null, .string(""): []
        case .bool(let isOn) where catalogue.flags.contains(name): flag(name, isOn)
        case .bool(let isOn): ["--\(name)=\(isOn)"]
        case .number(let number): ["--\(name)=\(number.text)"]
        case .string(let text): ["--\(name)=\(text)"]
        case .array(let values) where catalogue.isRepeatable[name] == true:
            values.reduce([]) { words, value in
                guard let words, let more = self.words(name, value) else { return nil }
                return words + more
            }
        case .array, .object: nil
        }
    }

    private func flag(_ name: String, _ isOn: Bool) -> [String] {
        if isOn { return ["--\(name)"] }
        return catalogue.flags.contains("no-\(name)") ? ["--no-\(name)"] : []
    }

    // MARK: The environment

    private func words(of environment: [String: String]) throws(LayeredSettingsError) -> [String: [String]] {
        var words: [String: [String]] = [:]
        // EASEL_MODELS_DIR is every command's, with colons between; a flag's opposite is its variable's other value.
        let names = catalogue.names.subtracting(Self.excluded).filter {
            $0 != "models-dir" && !($0.hasPrefix("no-") && catalogue.flags.contains(String($0.dropFirst(3))))
        }
        for name in names.sorted() {
            // `data-dir` is `EASEL_DATA_DIR`.
            let variable = "EASEL_" + name.uppercased().replacingOccurrences(of: "-", with: "_")
            guard let text = environment[variable], !text.isEmpty else { continue }
            switch catalogue.isRepeatable[name] {
            case false?: words[name] = ["--\(name)=\(text)"]
            case true?:
                words[name] = text.split(separator: ",").map {
                    "--\(name)=\($0.trimmingCharacters(in: .whitespaces))"
                }
            case nil:
                switch text.lowercased() {
                case "true", "yes", "1": words[name] = flag(name, true)
                case "false", "no", "0": words[name] = flag(name, false)
                default:
                    throw LayeredSettingsError(
                        reason: "\(variable) is \(text.quoted), and has to be true or false")
                }
            }
        }
        return words
    }
}

/// Why a file of settings cannot be used.
struct SettingsFileError: Error, CustomStringConvertible {
    let path: String
    let reason: String
    var description: String {
        "\(path): not a file of settings that can be used: \(reason); it must be a JSON object with options' names"
    }
}

/// Why settings cannot be used beside a command's words.
struct LayeredSettingsError: Error, CustomStringConvertible {
    let reason: String
    var description: String {
        "a setting of the environment (EASEL_…) or of --config cannot be used: \(reason)"
    }
}
