import Foundation
import Testing

@testable import Imaging

@Suite("Pictures with their settings, in every format")
struct PictureFileTests {
    /// A smooth picture with a sharp edge of colour.
    private static let image: Image = {
        let pixels = (0..<40 * 56).flatMap { index -> [UInt8] in
            let (x, y) = (index % 56, index / 56)
            return [UInt8(4 * x), UInt8(6 * y), x + y > 48 ? 200 : 60]
        }
        return Image(width: 56, height: 40, pixels: pixels)
    }()

    private func psnr(_ one: Image, _ other: Image) -> Double {
        let squares = zip(one.pixels, other.pixels).map { pow(Double($0) - Double($1), 2) }
        return 10 * log10(255 * 255 * Double(squares.count) / max(squares.reduce(0, +), 1e-9))
    }

    private static let texts = [
        "a red apple\nSteps: 20, Sampler: Euler a", "日本 🙂 café", "", "x", "\"quoted\" \\ back",
        String(repeating: "long ", count: 4000),
    ]

    @Test(arguments: PictureFormat.allCases) func settingsComeBack(_ format: PictureFormat) throws {
        for text in Self.texts {
            for record in [nil, "{\"seed\":1,\"prompt\":\"日本\"}"] {
                let file = PictureFile(Self.image, notes: PictureNotes(parameters: text, record: record))
                let bytes = try file.encoded(as: format)
                #expect(try PictureFormat(bytes) == format && bytes == file.encoded(as: format))
                let read = try PictureFile(reading: bytes, named: "test")
                #expect(read.notes == file.notes, "\(format), \(text.prefix(20))")
                // WebP's colours have half the resolution, by the format.
                #expect(psnr(read.image, Self.image) > (format == .webP ? 32 : 36), "\(format)")
            }
        }
        let bare = try PictureFile(
            reading: PictureFile(Self.image).encoded(as: format), named: "bare")
        #expect(bare.notes == PictureNotes())
    }

    @Test func qualityCounts() throws {
        for format in [PictureFormat.jpeg, .webP] {
            let file = PictureFile(Self.image)
            let (rough, fine) = (
                try file.encoded(as: format, quality: 10), try file.encoded(as: format, quality: 98)
            )
            #expect(rough.count < fine.count)
            let one = try Image(reading: rough, named: "rough")
            let other = try Image(reading: fine, named: "fine")
            #expect(psnr(one, Self.image) < psnr(other, Self.image))
        }
        let whole = try PictureFile(Self.image).encoded(as: .webP, quality: 100)
        #expect(try Image(reading: whole, named: "whole") == Self.image)
    }

    @Test func otherProgramsCommentsAreRead() throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/notes")
        let text = "a café, 日本 🙂\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 24x16"
        let ascii = "a caf?, ?? ?\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 24x16"
        for ending in ["jpg", "webp"] {
            for name in ["a1111", "little", "mixed", "ascii"] {
                let file = try PictureFile(contentsOf: folder.appending(path: "\(name).\(ending)"))
                #expect(file.notes.parameters == (name == "ascii" ? ascii : text), "\(name).\(ending)")
                #expect(file.notes.record == nil && file.image.width == 24)
            }
        }
    }

    @Test func theFilesEndingSaysTheFormat() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "pictures-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, format) in [
            ("a.png", PictureFormat.png), ("a.jpg", .jpeg), ("a.JPEG", .jpeg), ("a.webp", .webP),
        ] {
            let file = folder.appending(path: name)
            try PictureFile(Self.image).write(to: file)
            #expect(try PictureFormat(Data(contentsOf: file)) == format)
        }
        for name in ["a.gif", "a"] {
            #expect(throws: ImageError.self) {
                try PictureFile(Self.image).write(to: folder.appending(path: name))
            }
        }
        // JPEG's marker has room for 64 KiB.
        let notes = PictureNotes(parameters: String(repeating: "x", count: 40_000))
        let file = folder.appending(path: "long.jpg")
        #expect(throws: ImageError.self) { try PictureFile(Self.image, notes: notes).write(to: file) }
        #expect(!FileManager.default.fileExists(atPath: file.path))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 4)
    }

    @Test func damagedExifDataSayNothing() {
        let whole = PictureNotes(parameters: "a red apple", record: "{}").exif
        for count in 0..<whole.count {
            whole.prefix(count).withUnsafeBytes { _ = ExifData(reading: $0) }
        }
        for place in whole.indices {
            var changed = whole
            changed[place] ^= 0xFF
            changed.withUnsafeBytes { _ = ExifData(reading: $0) }
        }
    }
}
