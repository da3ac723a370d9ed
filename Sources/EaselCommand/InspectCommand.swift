import ArgumentParser
import Easel
import Foundation
import Imaging

/// `easel inspect`: what a picture says of how it was made, or what a file of weights is.
struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what a model's file is, or the settings that made a picture.")

    @Argument(
        help: "A model, a LoRA, an embedding or a VAE: a file or a folder. Or a picture: PNG, JPEG or WebP.")
    var file: String
    @Flag(help: "Print one line of JSON; of a picture, Easel's record.")
    var json = false
    @Option(
        help:
            "CLIP's vocabulary for a model in a single file: a tokenizer folder (default: the installed one)."
    )
    var vocabulary: String?
    @Flag(
        inversion: .prefixedNo,
        help: "Read the whole file for its hashes, and check its own checksums (default: yes).")
    var hashes = true

    func run() async throws { await reportingErrors { try show() } }

    private func show() throws {
        let url = try ModelLocation.url(named: file)
        if isPicture(url) { return try showPicture(url) }
        let inspection = try FileInspection(
            of: url, vocabulary: vocabulary.map { URL(filePath: $0) }, hashes: hashes)
        if json {
            let encoder = JSONEncoder()
            encoder.keyEncodingStrategy = .convertToSnakeCase
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(inspection), as: UTF8.self))
        } else {
            print(InspectionReport(inspection).text)
        }
    }

    /// Only a file is opened: a pipe could be waited for without end.
    private func isPicture(_ url: URL) -> Bool {
        var status = stat()
        guard stat(url.path, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            let handle = try? FileHandle(forReadingFrom: url), let start = try? handle.read(upToCount: 16)
        else { return false }
        return PictureFormat(start) != nil
    }

    private func showPicture(_ url: URL) throws {
        let picture = try PictureFile(contentsOf: url)
        if json {
            guard let record = picture.notes.record else { throw RecordMissing(file: file) }
            return print(record)
        }
        print("\(file): \(picture.image.width)×\(picture.image.height) pixels")
        // What other programs wrote is in PNG's texts.
        let png = try? PNG(reading: Data(contentsOf: url), named: file)
        let texts =
            png?.texts ?? picture.notes.parameters.map { [.init(keyword: "parameters", text: $0)] } ?? []
        for text in texts where text.keyword != PictureNotes.recordKeyword {
            print("\(text.keyword):\n\(text.text.withoutControls)")
        }
    }
}

extension String {
    /// The text with control characters made visible, so that a file's words do nothing to a terminal.
    var withoutControls: String {
        String(
            unicodeScalars.map {
                $0.value < 32 && $0 != "\n" || (127..<160).contains($0.value) ? "\u{FFFD}" : Character($0)
            })
    }
}
