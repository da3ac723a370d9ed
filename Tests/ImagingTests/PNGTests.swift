import Foundation
import Testing

@testable import Imaging

struct PNGTests {
    private func fixture(_ name: String) throws -> Data {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
        return try Data(contentsOf: folder.appending(path: name))
    }

    private func pixels(_ name: String) throws -> [UInt8] {
        try PNG(reading: fixture(name), named: name).image.pixels
    }

    private let image = Image(
        width: 3, height: 2, pixels: (0..<18).map { UInt8($0 * 14) })

    @Test(arguments: [
        "", "a red apple", "naïve café ÿ", "日本 🙂", "two\nlines", String(repeating: "long ", count: 20_000),
    ])
    func picturesAndTextsComeBack(text: String) throws {
        let png = PNG(
            image, texts: [.init(keyword: "parameters", text: text), .init(keyword: "Title", text: "x")])
        #expect(try PNG(reading: png.encoded(), named: "test") == png)
    }

    @Test func theSameIsTheSameBytes() throws {
        let png = PNG(image, texts: [.init(keyword: "parameters", text: "a red apple")])
        #expect(try png.encoded() == png.encoded())
    }

    @Test func textIsPlainWhereLatin1HasIt() throws {
        let plain = try PNG(image, texts: [.init(keyword: "parameters", text: "café")]).encoded()
        #expect(
            plain.range(of: Data("tEXtparameters\0caf\u{E9}".unicodeScalars.map { UInt8($0.value) })) != nil)
        let wide = try PNG(image, texts: [.init(keyword: "parameters", text: "日本")]).encoded()
        #expect(wide.range(of: Data("iTXtparameters\0".utf8)) != nil)
        #expect(wide.range(of: Data("日本".utf8)) != nil)
    }

    @Test func nulDoesNotCutAText() throws {
        let png = PNG(image, texts: [.init(keyword: "parameters", text: "a\0b")])
        #expect(try PNG(reading: png.encoded(), named: "test").texts[0].text == "a\u{FFFD}b")
    }

    @Test func otherFormsBecomeRGB() throws {
        #expect(try pixels("rgb.png") == (0..<18).map { UInt8($0 * 10) })
        #expect(try pixels("palette.png") == (0..<18).map { UInt8($0 * 10) })
        #expect(try pixels("grey.png") == [0, 0, 0, 128, 128, 128, 255, 255, 255])
        #expect(try pixels("grey16.png") == [0, 0, 0, 128, 128, 128, 255, 255, 255])
        #expect(try pixels("grey2.png") == [0, 0, 0, 85, 85, 85, 170, 170, 170, 255, 255, 255])
    }

    @Test func interlacedRowsComeInOrder() throws {
        let expected = (0..<9).flatMap { y in (0..<9).flatMap { x in [x * 20, y * 20, x + y] } }
        #expect(try pixels("interlaced9.png") == expected.map { UInt8($0) })
    }

    @Test func whatIsTransparentLiesOverWhite() throws {
        #expect(try pixels("rgba.png") == [255, 0, 0, 255, 255, 255, 127, 127, 127])
        #expect(try pixels("grey-alpha.png") == [0, 0, 0, 255, 255, 255])
    }

    @Test(arguments: ["rgba16.png", "rgba-gamma.png", "palette-transparent.png"])
    func everyFormLiesOverWhiteAlike(name: String) throws {
        #expect(try pixels(name) == [255, 0, 0, 255, 255, 255, 127, 127, 127])
    }

    @Test(arguments: ["rgba.png", "rgba16.png", "palette-transparent.png"])
    func whatIsTransparentInAMaskStays(name: String) throws {
        // Of red, of nothing, and of black that is half transparent.
        #expect(try Mask(reading: fixture(name), named: name).values == [76, 0, 0])
    }

    /// As the picture in the same file is.
    @Test func whatIsTransparentStandsUpright() throws {
        let (stored, turned) = (try fixture("rgba.png"), try fixture("pictures/turned-6.png"))
        let plain = try Mask(transparencyOf: stored, named: "rgba.png")
        #expect(plain.values.prefix(2) == [0, 255] && (plain.width, plain.height) == (3, 1))
        // The Exif data of the other file stand behind the header, 33 bytes, and take 38.
        let whole: Data = stored.prefix(33) + turned[33..<71] + stored.dropFirst(33)
        let mask = try Mask(transparencyOf: whole, named: "turned")
        #expect((mask.width, mask.height) == (1, 3) && mask.values == plain.values)
        let image = try Image(reading: whole, named: "turned")
        #expect((image.width, image.height) == (1, 3))
    }

    @Test func aColourMayStandForTransparent() throws {
        #expect(try pixels("rgb16-transparent.png") == [255, 255, 255, 255, 0, 0])
    }

    @Test func textsBeforeAndBehindThePixelsAreKept() throws {
        let png = try PNG(reading: fixture("text-behind.png"), named: "text-behind.png")
        #expect(
            png.texts == [
                .init(keyword: "Software", text: "x"),
                .init(keyword: "parameters", text: "behind the pixels"),
            ])
    }

    @Test(arguments: ["huge.png", "zero.png"]) func refusesSizes(name: String) throws {
        #expect(throws: ImageError.self) { try PNG(reading: fixture(name), named: name) }
    }

    @Test func aTextThatUnpacksToMuchIsLeftOut() throws {
        let png = try PNG(reading: fixture("text-bomb.png"), named: "text-bomb.png")
        #expect(png.image.pixels == [7, 8, 9])
        #expect(png.texts.allSatisfy { $0.text.utf8.count <= 1 << 20 })
    }

    @Test func everyCutAndEveryFlippedByteIsAnErrorOrAPicture() throws {
        let whole = try fixture("rgb.png")
        for length in 0..<whole.count {
            #expect(throws: ImageError.self) { try PNG(reading: whole.prefix(length), named: "cut") }
        }
        for index in whole.indices {
            var changed = whole
            changed[index] ^= 0x55
            _ = try? PNG(reading: changed, named: "changed")
        }
    }

    @Test(arguments: ["<!DOCTYPE html><html>", "GIF89a", "", "\u{89}PNG"])
    func otherBytesAreRefused(text: String) {
        let error = #expect(throws: ImageError.self) {
            try PNG(reading: Data(text.utf8), named: "page.png")
        }
        #expect(error?.description.hasPrefix("page.png") == true)
    }
}

struct ImageTests {
    @Test func decodedValuesAreRoundedAndClamped() {
        // 0 is 127.5, which goes to the even 128; 1/255 above it, 128.0 stays.
        let values: [Float] = [-2, -1, 0, 1, 7, .nan]
        let image = Image(decoded: values + values + values, width: 6, height: 1)
        #expect((0..<6).map { image.pixels[3 * $0] } == [0, 0, 128, 255, 255, 0])
    }

    @Test func encodableIsTheWayBack() {
        let image = Image(width: 256, height: 1, pixels: (0..<768).map { UInt8($0 / 3) })
        #expect(image.encodable.count == 768)
        #expect(image.encodable[0] == -1)
        #expect(image.encodable[255] == 1)
        #expect(Image(decoded: image.encodable, width: 256, height: 1) == image)
    }
}

struct ImageFileTests {
    private let image = Image(width: 1, height: 1, pixels: [1, 2, 3])

    private func inFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "easel-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    @Test func writesAndReplacesWithoutLeavings() throws {
        try inFolder { folder in
            let file = folder.appending(path: "a.png")
            try Image.checkWritable(at: file)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
            try Data("old".utf8).write(to: file)
            let metadata = GenerationMetadata(
                prompt: "p", negativePrompt: "", steps: 1, sampler: "DDIM", guidanceScale: 1, seed: 2,
                width: 1,
                height: 1)
            try PictureFile(image, notes: PictureNotes(parameters: metadata.parameters)).write(to: file)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.png"])
            let png = try PNG(reading: Data(contentsOf: file), named: "a.png")
            #expect(png.image == image)
            #expect(png.texts == [.init(keyword: "parameters", text: metadata.parameters)])
        }
    }

    @Test func saysWhatIsInTheWay() throws {
        try inFolder { folder in
            let inside = folder.appending(path: "b.png")
            try FileManager.default.createDirectory(at: inside, withIntermediateDirectories: true)
            let bad = [
                folder.appending(path: "none/a.png"), inside, folder.appending(path: "a.gif"),
                URL(filePath: "/proc/a.png"),
            ]
            for file in bad {
                let error = #expect(throws: ImageError.self) { try Image.checkWritable(at: file) }
                #expect(error?.description.contains(file.deletingLastPathComponent().path) == true)
            }
            #expect(throws: ImageError.self) {
                try PictureFile(image).write(to: folder.appending(path: "none/a.png"))
            }
            #expect(throws: ImageError.self) { try PictureFile(image).write(to: inside) }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["b.png"])
        }
    }
}
