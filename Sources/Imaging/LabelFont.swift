import Foundation

/// Letters of 5 × 7 dots, for labels.
enum LabelFont {
    static let width = 5
    static let height = 7

    /// The rows of a letter's dots, the leftmost in bit 4. What is not in ASCII is a box.
    static func rows(of character: Character) -> [UInt8] {
        guard let value = character.asciiValue, (32...126).contains(value) else { return rows("vhhhhhv") }
        return rows(glyphs[Int(value) - 32])
    }

    private static func rows(_ glyph: Substring) -> [UInt8] { glyph.utf8.map { digit($0) } }

    private static func digit(_ letter: UInt8) -> UInt8 {
        letter < UInt8(ascii: "a") ? letter - UInt8(ascii: "0") : letter - UInt8(ascii: "a") + 10
    }

    /// From the space to the tilde, a row a letter: 0…v are 0…31.
    private static let glyphs: [Substring] = """
        0000000 4444404 aaa0000 aavavaa 4fke5u4 op248j3 cik8lid 4480000 2488842 8422248 04lel40 044v440 0000c48
        000v000 00000cc 01248g0 ehjlphe 4c4444e eh1248v v2421he 26aiv22 vgu11he 68guhhe v124888 ehhehhe ehhf12c
        0cc0cc0 0cc0c48 248g842 00v0v00 8421248 eh12404 ehnlnge ehhvhhh uhhuhhu ehggghe sihhhis vgguggv vgguggg
        ehgnhhf hhhvhhh e44444e 72222ic hikokih ggggggv hrllhhh hhpljhh ehhhhhe uhhuggg ehhhlid uhhukih fgge11u
        v444444 hhhhhhe hhhhha4 hhhllla hha4ahh hhha444 v1248gv e88888e 0g84210 e22222e 4ah0000 000000v 8420000
        00e1fhf ggmphhu 00egghe 11djhhf 00ehvge 698s888 0fhhf1e ggmphhh 40c444e 20622ic ggikoki c44444e 00qllhh
        00mphhh 00ehhhe 00uhugg 00djf11 00mpggg 00ege1u 88s8896 00hhhjd 00hhha4 00hhlla 00ha4ah 00hhf1e 00v248v
        2448442 4444444 8442448 008l200
        """.split { $0 == " " || $0 == "\n" }
}

extension Image {
    /// Draws a line of text in black, its upper left corner at a place; what does not fit is left out.
    ///
    /// - Parameter scale: How many pixels a dot is wide and high.
    mutating func draw(_ text: String, x: Int, y: Int, scale: Int) {
        var left = x
        for character in text.folding(options: .diacriticInsensitive, locale: nil) {
            for (row, dots) in LabelFont.rows(of: character).enumerated() {
                for column in 0..<LabelFont.width where dots >> (LabelFont.width - 1 - column) & 1 == 1 {
                    fill(x: left + column * scale, y: y + row * scale, size: scale)
                }
            }
            left += (LabelFont.width + 1) * scale
        }
    }

    /// How wide a line of text is.
    static func width(of text: String, scale: Int) -> Int {
        max(text.count * (LabelFont.width + 1) - 1, 0) * scale
    }

    private mutating func fill(x: Int, y: Int, size: Int) {
        for row in max(y, 0)..<max(min(y + size, height), max(y, 0)) {
            for column in max(x, 0)..<max(min(x + size, width), max(x, 0)) {
                let place = 3 * (row * width + column)
                (pixels[place], pixels[place + 1], pixels[place + 2]) = (0, 0, 0)
            }
        }
    }
}
