import ArgumentParser
import Easel
import Foundation
import Imaging

/// `easel inspect`: what a picture says of how it was made.
struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show a picture's size and the settings that made it.")

    @Argument(help: "A picture: PNG, JPEG or WebP.")
    var file: String
    @Flag(help: "Print Easel's record of the picture, one line of JSON.")
    var json = false

    func run() async throws { try await reportingErrors { try show() } }

    private func show() throws {
        let image = try Image(contentsOf: URL(filePath: file))
        let bytes = try Data(contentsOf: URL(filePath: file))
        let texts = (try? PNG(reading: bytes, named: file))?.texts ?? []
        if json {
            guard let record = texts.first(where: { $0.keyword == GenerationRecord.keyword }) else {
                throw SettingsError(file: file)
            }
            return print(record.text)
        }
        print("\(file): \(image.width)×\(image.height) pixels")
        // Control characters in a file's texts do nothing to a terminal.
        for text in texts where text.keyword != GenerationRecord.keyword {
            let plain = text.text.unicodeScalars.map {
                $0.value < 32 && $0 != "\n" ? "\u{FFFD}" : Character($0)
            }
            print("\(text.keyword):\n\(String(plain))")
        }
    }
}
