import Foundation
import Imaging
import Testing

@Suite("Previews on a terminal")
struct PreviewTests {
    private func preview(_ tool: Tool, _ arguments: String...) async throws -> ToolResult {
        try await tool.run(
            [
                "a cat", "-m", Tool.model("tiny-sd1").path, "--precision", "f32", "--steps", "2", "--sampler",
                "euler", "-s", "1", "-o", "one.png",
            ] + arguments)
    }

    @Test func nothingIsShownWithoutATerminal() async throws {
        let tool = try Tool()
        let result = try await preview(tool, "--preview", "1")
        #expect(result.code == 0 && result.errors == "", "\(result.errors)")
        for quiet in ["--quiet", "--json"] {
            let result = try await preview(tool, "--preview", "1", "--preview-protocol", "kitty", quiet)
            #expect(result.code == 0 && result.errors == "", "\(result.errors)")
        }
        let wrong = try await preview(tool, "--preview", "0")
        #expect(wrong.code == 64, "\(wrong.errors)")
    }

    @Test func kittyAndITermGetPNG() async throws {
        let tool = try Tool()
        for (name, pattern) in [
            ("kitty", #/\u{1B}_Ga=T,f=100[^;]*;([A-Za-z0-9+\/=]+)\u{1B}\\/#),
            ("iterm", #/\u{1B}\]1337;File=inline=1[^:]*:([A-Za-z0-9+\/=]+)\u{07}/#),
        ] {
            let result = try await preview(tool, "--preview", "1", "--preview-protocol", name)
            let pictures = try result.errors.matches(of: pattern).map {
                try PNG(reading: #require(Data(base64Encoded: String($0.1))), named: name).image
            }
            #expect(pictures.map { [$0.width, $0.height] } == [[8, 8], [8, 8]], "\(name)")
            #expect(pictures.first != pictures.last)
        }
    }

    @Test func sixelsAndBlocksHaveItsColors() async throws {
        let tool = try Tool()
        let kitty = try await preview(tool, "--preview", "2", "--preview-protocol", "kitty")
        let match = try #require(kitty.errors.firstMatch(of: #/,m=0;([A-Za-z0-9+\/=]+)\u{1B}/#))
        let small = try PNG(
            reading: #require(Data(base64Encoded: String(match.1))), named: "kitty"
        ).image

        let sixel = try await preview(tool, "--preview", "2", "--preview-protocol", "sixel")
        let shown = try #require(Sixels(sixel.errors))
        let wanted = small.resized(.stretch, width: shown.width, height: shown.height)
        #expect(shown.height % 12 == 0 && shown.width == shown.height)
        let largest = zip(shown.pixels, wanted.pixels).map { abs($0 - Int($1)) }.max()
        // A sixth of the range between two colours, and what percents round.
        #expect(try #require(largest) <= 28)

        let blocks = try await preview(tool, "--preview", "2", "--preview-protocol", "blocks")
        #expect(blocks.errors.count { $0 == "▀" } == 12 * 24)
    }
}

/// The picture of a text of sixels; a pixel that nothing paints is −1.
private struct Sixels {
    let width: Int
    let height: Int
    let pixels: [Int]

    init?(_ text: String) {
        guard let start = text.range(of: "\u{1B}P0;1q\"1;1;"),
            let end = text.range(of: "\u{1B}\\", range: start.upperBound..<text.endIndex)
        else { return nil }
        var rest = Array(text[start.upperBound..<end.lowerBound].utf8)[...]
        func number() -> Int {
            let digits = rest.prefix { (48...57).contains($0) }
            rest = rest.dropFirst(digits.count)
            return Int(String(decoding: digits, as: UTF8.self)) ?? 0
        }
        func numbers() -> [Int] {
            var values = [number()]
            while rest.first == UInt8(ascii: ";") {
                rest = rest.dropFirst()
                values.append(number())
            }
            return values
        }
        let size = numbers()
        guard size.count == 2 else { return nil }
        (width, height) = (size[0], size[1])
        var (palette, color, x, y): ([Int: [Int]], Int, Int, Int) = ([:], 0, 0, 0)
        var painted = [Int](repeating: -1, count: 3 * width * height)
        while let sign = rest.popFirst() {
            switch sign {
            case UInt8(ascii: "#"):
                let values = numbers()
                color = values[0]
                if values.count == 5 { palette[color] = values[2...].map { $0 * 255 / 100 } }
            case UInt8(ascii: "$"): x = 0
            case UInt8(ascii: "-"): (x, y) = (0, y + 6)
            default:
                var (count, bits) = (1, Int(sign) - 63)
                if sign == UInt8(ascii: "!") {
                    count = number()
                    bits = Int(rest.popFirst() ?? 63) - 63
                }
                for _ in 0..<count {
                    for row in 0..<6 where bits >> row & 1 == 1 {
                        guard y + row < height, x < width, let own = palette[color] else { return nil }
                        for channel in 0..<3 { painted[3 * ((y + row) * width + x) + channel] = own[channel] }
                    }
                    x += 1
                }
            }
        }
        pixels = painted
    }
}
