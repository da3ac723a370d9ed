import Foundation
import Imaging

/// A picture as what a terminal shows it by.
struct TerminalPicture {
    let image: Image

    /// The bytes that show the picture where the cursor is, over so many rows of text.
    ///
    /// - Parameter rowHeight: In pixels, where the protocol counts in them.
    func shown(by protocol: PictureProtocol, rows: Int, rowHeight: Int) -> String {
        switch `protocol` {
        case .none: ""
        case .kitty: kitty(rows: rows)
        case .iterm: iTerm(rows: rows)
        case .sixel: Sixel(scaled(height: rows * rowHeight)).text
        case .blocks: blocks(rows: rows)
        }
    }

    private var png: String { ((try? PNG(image).encoded()) ?? Data()).base64EncodedString() }

    /// https://sw.kovidgoyal.net/kitty/graphics-protocol: PNG in pieces of 4096 characters, under one number, so that
    /// the next picture takes the last one's place.
    private func kitty(rows: Int) -> String {
        let data = Array(png.utf8)
        let pieces = stride(from: 0, to: data.count, by: 4096).map { data[$0..<min($0 + 4096, data.count)] }
        return pieces.enumerated().map { index, piece in
            let more = index + 1 < pieces.count ? 1 : 0
            let control = index == 0 ? "a=T,f=100,i=7301,p=1,q=2,C=1,r=\(rows),m=\(more)" : "m=\(more)"
            return "\u{1B}_G\(control);\(String(decoding: piece, as: UTF8.self))\u{1B}\\"
        }.joined()
    }

    /// https://iterm2.com/documentation-images.html
    private func iTerm(rows: Int) -> String {
        "\u{1B}]1337;File=inline=1;height=\(rows);preserveAspectRatio=1:\(png)\u{07}"
    }

    /// A character's upper half in the colour of one pixel and its ground in that of the one below.
    private func blocks(rows: Int) -> String {
        let small = scaled(height: 2 * rows)
        func color(_ x: Int, _ y: Int) -> String {
            let place = 3 * (y * small.width + x)
            return small.pixels[place..<place + 3].map(String.init).joined(separator: ";")
        }
        return (0..<rows).map { row in
            (0..<small.width).map { x in
                "\u{1B}[38;2;\(color(x, 2 * row))m\u{1B}[48;2;\(color(x, 2 * row + 1))m▀"
            }.joined() + "\u{1B}[0m"
        }.joined(separator: "\r\n")
    }

    private func scaled(height: Int) -> Image {
        let width = max(image.width * height / image.height, 1)
        return image.resized(.stretch, width: width, height: height)
    }
}

/// A picture in DEC's sixels: bands of six rows, each colour's pixels in turn (VT330/VT340 Programmer Reference Manual,
/// volume 2, chapter 14).
struct Sixel {
    let text: String

    /// Colours are the nearest of 6 × 6 × 6.
    init(_ image: Image) {
        let colors = (0..<image.width * image.height).map { pixel in
            (0..<3).reduce(0) { $0 * 6 + (Int(image.pixels[3 * pixel + $1]) * 5 + 127) / 255 }
        }
        var text = "\u{1B}P0;1q\"1;1;\(image.width);\(image.height)"
        for color in Set(colors).sorted() {
            let shares = [color / 36, color / 6 % 6, color % 6].map { "\($0 * 20)" }
            text += "#\(color);2;" + shares.joined(separator: ";")
        }
        for top in stride(from: 0, to: image.height, by: 6) {
            let rows = top..<min(top + 6, image.height)
            let present = Set(rows.flatMap { colors[$0 * image.width..<($0 + 1) * image.width] })
            for color in present.sorted() {
                text += "#\(color)" + Self.band(of: color, in: colors, rows: rows, width: image.width) + "$"
            }
            text += "-"
        }
        self.text = text + "\u{1B}\\"
    }

    /// Where a colour is in a band: a character a column, repeated ones counted.
    private static func band(of color: Int, in colors: [Int], rows: Range<Int>, width: Int) -> String {
        var text = ""
        var run: (character: Character, count: Int)?
        func flush() {
            guard let run else { return }
            text +=
                run.count > 3
                ? "!\(run.count)\(run.character)" : String(repeating: run.character, count: run.count)
        }
        for x in 0..<width {
            let bits = rows.reduce(0) { bits, row in
                colors[row * width + x] == color ? bits | 1 << (row - rows.lowerBound) : bits
            }
            let character = Character(Unicode.Scalar(UInt8(63 + bits)))
            if run?.character == character {
                run?.count += 1
            } else {
                flush()
                run = (character, 1)
            }
        }
        flush()
        return text
    }
}
