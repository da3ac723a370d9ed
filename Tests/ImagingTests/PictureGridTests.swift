import Foundation
import Testing

@testable import Imaging

@Suite("Pictures side by side")
struct PictureGridTests {
    private func plain(_ value: UInt8, width: Int = 40, height: Int = 30) -> Image {
        Image(width: width, height: height, pixels: Array(repeating: value, count: 3 * width * height))
    }

    private func pixel(_ image: Image, _ x: Int, _ y: Int) -> UInt8 {
        image.pixels[3 * (y * image.width + x)]
    }

    /// The rows of a part that have something black, and the columns.
    private func ink(_ image: Image, x: Range<Int>, y: Range<Int>) -> Int {
        y.reduce(0) { count, row in count + x.count { pixel(image, $0, row) == 0 } }
    }

    @Test func cellsStandInRows() {
        let grid = PictureGrid([plain(10), plain(20), nil, plain(40), plain(50)]).image
        #expect((grid.width, grid.height) == (3 * 40 + 2 * 4, 2 * 30 + 4))
        #expect(pixel(grid, 0, 0) == 10 && pixel(grid, 39, 29) == 10 && pixel(grid, 40, 0) == 255)
        #expect(pixel(grid, 44, 0) == 20 && pixel(grid, 88, 0) == 255)
        #expect(pixel(grid, 0, 34) == 40 && pixel(grid, 44 + 39, 34 + 29) == 50)
        #expect(PictureGrid([]).image.width == 1)
        #expect(PictureGrid([plain(1)]).image == plain(1))
    }

    @Test func smallerPicturesHaveWhiteAround() {
        let grid = PictureGrid([plain(10), plain(20, width: 20, height: 10)], columns: 2).image
        #expect(pixel(grid, 44 + 19, 9) == 20 && pixel(grid, 44 + 20, 9) == 255 && pixel(grid, 44, 10) == 255)
    }

    @Test func labelsStandBesideTheirs() {
        let cells = (0..<4).map { plain(UInt8(100 + $0), width: 200, height: 160) }
        let grid = PictureGrid(cells, columns: 2, columnLabels: ["one", ""], rowLabels: ["", "two"]).image
        let (left, top) = (grid.width - 2 * 200 - 4, grid.height - 2 * 160 - 4)
        #expect(left > 18 && top > 7)
        #expect(pixel(grid, left, top) == 100 && pixel(grid, left + 204, top + 164) == 103)
        #expect(ink(grid, x: left..<left + 200, y: 0..<top) > 20)
        #expect(ink(grid, x: left + 204..<grid.width, y: 0..<top) == 0)
        #expect(ink(grid, x: 0..<left, y: top..<top + 160) == 0)
        #expect(ink(grid, x: 0..<left, y: top + 164..<grid.height) > 20)
    }

    @Test func longLabelsAreBrokenAndCut() {
        let label = String(repeating: "guidance-scale 7.5 ", count: 40)
        let grid = PictureGrid(
            [plain(9, width: 64, height: 64)], columnLabels: [label], rowLabels: [label]
        ).image
        #expect(grid.width < 160 && grid.height < 120)
        #expect(pixel(grid, grid.width - 1, grid.height - 1) == 9)
    }

    @Test func lettersAreDistinct() {
        let letters = (32...126).map { LabelFont.rows(of: Character(Unicode.Scalar(UInt8($0)))) }
        #expect(Set(letters).count == 95)
        #expect(letters.allSatisfy { $0.count == 7 && $0.allSatisfy { $0 < 32 } })
        let l = LabelFont.rows(of: "L").map { String($0, radix: 2) }
        #expect(l == ["10000", "10000", "10000", "10000", "10000", "10000", "11111"])
        var (plain, accented) = (plain(255), plain(255))
        plain.draw("e", x: 0, y: 0, scale: 1)
        accented.draw("é", x: 0, y: 0, scale: 1)
        #expect(plain == accented)
        plain.draw("outside", x: -3, y: 28, scale: 5)
    }
}
