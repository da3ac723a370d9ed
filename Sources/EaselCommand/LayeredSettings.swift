import Configuration
import Foundation
import SystemPackage

/// What is set beside the command's words: in the environment, as `EASEL_…`, and under that in a file of JSON.
struct LayeredSettings: Sendable {
    private let environment = ConfigReader(provider: EnvironmentVariablesProvider()).scoped(to: "easel")
    private let file: ConfigReader?

    /// - Throws: ``SettingsFileError`` where the file is not there, or is not JSON.
    init(file path: String?) async throws {
        guard let path else {
            file = nil
            return
        }
        do {
            file = ConfigReader(provider: try await FileProvider<JSONSnapshot>(filePath: FilePath(path)))
        } catch {
            throw SettingsFileError(path: path, reason: "\(error)")
        }
    }

    func string(_ name: String) -> String? {
        let value =
            environment.string(forKey: environmentKey(name)) ?? file?.string(forKey: ConfigKey([name]))
        return value?.isEmpty == true ? nil : value
    }

    func int(_ name: String) -> Int? {
        environment.int(forKey: environmentKey(name)) ?? file?.int(forKey: ConfigKey([name]))
    }

    func double(_ name: String) -> Double? {
        environment.double(forKey: environmentKey(name)) ?? file?.double(forKey: ConfigKey([name]))
    }

    func strings(_ name: String) -> [String] {
        environment.stringArray(forKey: environmentKey(name)) ?? file?.stringArray(forKey: ConfigKey([name]))
            ?? []
    }

    /// `data-dir` is `EASEL_DATA_DIR`.
    private func environmentKey(_ name: String) -> ConfigKey {
        ConfigKey([name.replacingOccurrences(of: "-", with: "_")])
    }
}

/// Why a file of settings cannot be used.
struct SettingsFileError: Error, CustomStringConvertible {
    let path: String
    let reason: String
    var description: String {
        "\(path): not a file of settings that can be read (\(reason)); it must be a JSON object with options' names"
    }
}
