import Foundation
import Testing

@testable import Imaging

/// What Pillow reads and makes of pictures.
private struct Expected: Decodable {
    struct Picture: Decodable {
        let width: Int
        let height: Int
        let pixels: [UInt8]
    }

    let base: [UInt8]
    let read: [String: Picture]
    let resized: [String: [UInt8]]
    let luma: [UInt8]
}

@Suite struct PictureFormatTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Fixtures/pictures")

    private let expected: Expected

    init() throws {
        expected = try JSONDecoder().decode(
            Expected.self, from: Data(contentsOf: Self.folder.appending(path: "pixels.json")))
    }

    private func bytes(_ name: String) throws -> Data {
        try Data(contentsOf: Self.folder.appending(path: name))
    }

    private var base: Image { Image(width: 24, height: 16, pixels: expected.base) }

    @Test func everyFormatIsReadAsPillowReadsIt() throws {
        #expect(expected.read.count == 19)
        for (name, picture) in expected.read {
            let image = try Image(contentsOf: Self.folder.appending(path: name))
            #expect((image.width, image.height) == (picture.width, picture.height), "\(name)")
            // Where chroma is spread, builds of libjpeg differ by a level or two; inks and opacities are rounded.
            let slack =
                ["progressive.jpg", "lossy.webp", "cmyk.jpg", "transparent.webp"].contains(name) ? 3 : 0
            let difference = zip(image.pixels, picture.pixels).map { abs(Int($0) - Int($1)) }.max() ?? 0
            #expect(difference <= slack, "\(name): differs by \(difference)")
        }
        #expect(try Image(contentsOf: Self.folder.appending(path: "moving.webp")) == base)
        #expect(try Image(contentsOf: Self.folder.appending(path: "lossless.webp")) == base)
    }

    @Test func resizingIsPillows() throws {
        for (size, pixels) in expected.resized {
            let sides = size.split(separator: "x").compactMap { Int($0) }
            let made = base.resized(.stretch, width: sides[0], height: sides[1])
            #expect(made.pixels == pixels, "\(size)")
        }
        #expect(base.resized(.stretch, width: 24, height: 16) == base)
    }

    @Test func croppingAndPaddingKeepTheShape() {
        let square = base.resized(.crop, width: 16, height: 16)
        #expect(square == base.cropped(x: 4, y: 0, width: 16, height: 16))
        let padded = base.resized(.pad, width: 24, height: 32)
        #expect(padded.cropped(x: 0, y: 8, width: 24, height: 16) == base)
        #expect(padded.pixels.prefix(72) == base.pixels.prefix(72), "the edge is repeated")
        let thin = base.resized(.pad, width: 2, height: 400)
        #expect((thin.width, thin.height) == (2, 400))
    }

    @Test func aMaskIsItsBrightness() {
        let mask = Mask(base)
        #expect(mask.values == expected.luma)
        #expect(mask.inverted.inverted == mask)
        #expect(!mask.isHard && mask.hardened.isHard)
        #expect(Mask(width: 2, height: 1, values: [0, 0]).bounds == nil)
        let dot = Mask(width: 5, height: 4, values: (0..<20).map { $0 == 11 ? 9 : 0 })
        #expect(dot.bounds! == (1, 2, 1, 1))
    }

    @Test func blurringSpreadsAndKeepsTheSum() {
        let dot = Mask(width: 31, height: 31, values: (0..<961).map { $0 == 480 ? 255 : 0 })
        let soft = dot.blurred(deviation: 1.5)
        #expect(soft.values[480] < 30 && soft.values[481] > soft.values[482] && soft.values[0] == 0)
        #expect(dot.blurred(deviation: 0) == dot)
        let white = Mask(width: 9, height: 5, values: Array(repeating: 255, count: 45))
        #expect(white.blurred(deviation: 40) == white, "edges are repeated, not black")
        // Each value is the mean of those around it, by the kernel's weights, rows before columns.
        let mask = Mask(width: 7, height: 5, values: (0..<35).map { UInt8($0 * 37 % 256) })
        let kernel = (-3...3).map { exp(-Double($0 * $0) / (2 * 1.2 * 1.2)) }
        let total = kernel.reduce(0, +)
        let blurred = mask.blurred(deviation: 1.2)
        for (x, y) in [(0, 0), (6, 4), (3, 2), (1, 3)] {
            var sum = 0.0
            for (row, vertical) in zip(y - 3...y + 3, kernel) {
                for (column, horizontal) in zip(x - 3...x + 3, kernel) {
                    let place = min(max(row, 0), 4) * 7 + min(max(column, 0), 6)
                    sum += vertical * horizontal * Double(mask.values[place]) / (total * total)
                }
            }
            #expect(abs(Double(blurred.values[y * 7 + x]) - sum) <= 0.51)
        }
    }

    @Test func fillingComesFromAround() {
        let pixels = (0..<64 * 64).flatMap { index -> [UInt8] in
            let isInside = (16..<48).contains(index % 64) && (16..<48).contains(index / 64)
            return isInside ? [0, 255, 0] : [200, 100, 50]
        }
        let image = Image(width: 64, height: 64, pixels: pixels)
        let mask = Mask(
            width: 64, height: 64,
            values: (0..<64 * 64).map { (16..<48).contains($0 % 64) && (16..<48).contains($0 / 64) ? 255 : 0 }
        )
        let filled = image.filled(where: mask)
        for index in filled.pixels.indices {
            #expect(abs(Int(filled.pixels[index]) - [200, 100, 50][index % 3]) <= 6)
        }
    }

    @Test(arguments: ["12-bit.jpg", "vast.jpg"])
    func otherJPEGFilesAreRefused(_ name: String) throws {
        let error = #expect(throws: ImageError.self) { try Image(reading: bytes(name), named: name) }
        #expect("\(error!)".contains(name))
    }

    @Test func moreScansThanAnyEncoderWritesAreRefused() throws {
        // The first scan of a progressive file, again and again: one that needs nothing of those before.
        var file = try bytes("progressive.jpg")
        let start = try #require(file.range(of: Data([0xFF, 0xDA]))?.lowerBound)
        let marker = try #require(
            (start + 2..<file.endIndex - 1).first { file[$0] == 0xFF && file[$0 + 1] != 0 })
        let (scan, rest) = (file[start..<marker], file[marker...])
        file = file[..<marker]
        for _ in 0..<100_000 { file += scan }
        file += rest
        let error = #expect(throws: ImageError.self) { try Image(reading: file, named: "scans.jpg") }
        let message = "\(try #require(error))"
        #expect(message.contains("more than 500 scans"), "\(message)")
    }

    @Test func cutAndChangedFilesDoNotTrap() throws {
        var generator = SystemRandomNumberGenerator()
        for name in [
            "rgb.jpg", "progressive.jpg", "cmyk.jpg", "lossless.webp", "lossy.webp", "moving.webp",
            "turned-6.png",
        ] {
            let whole = try bytes(name)
            for length in stride(from: 0, to: whole.count - 2, by: 7) {
                #expect(throws: ImageError.self, "\(name) cut to \(length)") {
                    try Image(reading: whole.prefix(length), named: name)
                }
            }
            for _ in 0..<200 {
                var changed = whole
                for _ in 0..<3 {
                    changed[Int.random(in: 0..<changed.count, using: &generator)] = UInt8.random(
                        in: 0...255, using: &generator)
                }
                _ = try? Image(reading: changed, named: name, pixelLimit: 1 << 20)
            }
        }
    }

    @Test(arguments: [
        ("GIF89a", "GIF"), ("<svg xmlns", "SVG"), ("<!DOCTYPE html>", "web page"), ("II*\0", "TIFF"),
        ("%PDF-1.7", "PDF"), ("", "empty"), ("hello", "PNG, JPEG and WebP are read"),
    ])
    func otherFormatsAreNamed(_ start: String, _ what: String) {
        let error = #expect(throws: ImageError.self) { try Image(reading: Data(start.utf8), named: "a.png") }
        #expect("\(error!)".contains(what), "\(error!)")
    }

    @Test func picturesOverTheLimitAreRefused() throws {
        for name in ["rgb.jpg", "lossless.webp", "turned-6.png"] {
            let error = #expect(throws: ImageError.self) {
                try Image(reading: bytes(name), named: name, pixelLimit: 383)
            }
            #expect("\(error!)".contains("24 × 16") && "\(error!)".contains("383"))
            #expect(throws: Never.self) { try Image(reading: bytes(name), named: name, pixelLimit: 384) }
        }
    }

    @Test func whatIsNoFileIsNamed() {
        for path in ["/nowhere/picture.png", "/tmp", "/dev/null"] {
            #expect(throws: ImageError.self) { try Image(contentsOf: URL(filePath: path)) }
        }
    }

    @Test func compositingKeepsBytes() {
        let other = Image(width: 24, height: 16, pixels: expected.base.map { 255 - $0 })
        let mask = Mask(
            width: 24, height: 16, values: (0..<384).map { $0 % 24 < 8 ? 0 : $0 % 24 < 16 ? 128 : 255 })
        let made = other.over(base, where: mask)
        for pixel in 0..<384 {
            for place in 3 * pixel..<3 * pixel + 3 {
                switch mask.values[pixel] {
                case 0: #expect(made.pixels[place] == base.pixels[place])
                case 255: #expect(made.pixels[place] == other.pixels[place])
                default: #expect(abs(Int(made.pixels[place]) - 128) <= 1)
                }
            }
        }
        let pasted = base.pasting(other.cropped(x: 0, y: 0, width: 4, height: 4), x: 22, y: -2)
        #expect(pasted.pixels[3 * 22] == other.pixels[3 * 48] && pasted.pixels[3 * 21] == base.pixels[3 * 21])
    }
}
