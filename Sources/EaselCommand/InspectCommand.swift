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
        let picture = try PictureFile(contentsOf: URL(filePath: file))
        if json {
            guard let record = picture.notes.record else { throw SettingsError(file: file) }
            return print(record)
        }
        print("\(file): \(picture.image.width)×\(picture.image.height) pixels")
        // What other programs wrote is in PNG's texts.
        let png = try? PNG(reading: Data(contentsOf: URL(filePath: file)), named: file)
        let texts =
            png?.texts ?? picture.notes.parameters.map { [.init(keyword: "parameters", text: $0)] } ?? []
        // Control characters in a file's texts do nothing to a terminal.
        for text in texts where text.keyword != PictureNotes.recordKeyword {
            let plain = text.text.unicodeScalars.map {
                $0.value < 32 && $0 != "\n" ? "\u{FFFD}" : Character($0)
            }
            print("\(text.keyword):\n\(String(plain))")
        }
    }
}
