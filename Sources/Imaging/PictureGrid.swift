/// Pictures side by side in rows and columns, with labels where there are any.
public struct PictureGrid: Sendable {
    /// Row by row; a cell may be empty.
    private let cells: [Image?]
    private let columns: Int
    private let columnLabels: [String]
    private let rowLabels: [String]

    /// - Parameters:
    ///   - cells: Row by row.
    ///   - columns: How many there are in a row; nil for about as many as rows.
    ///   - columnLabels: One above each column; none for no labels.
    ///   - rowLabels: One beside each row; none for no labels.
    public init(
        _ cells: [Image?], columns: Int? = nil, columnLabels: [String] = [], rowLabels: [String] = []
    ) {
        self.cells = cells
        self.columns = max(columns ?? Int(Double(cells.count).squareRoot().rounded(.up)), 1)
        self.columnLabels = columnLabels
        self.rowLabels = rowLabels
    }

    private var rows: Int { max((cells.count + columns - 1) / columns, 1) }

    /// The grid as one picture on white. Smaller pictures stand in the upper left corner of their cell.
    public var image: Image {
        let (cellWidth, cellHeight) = (
            max(cells.compactMap { $0?.width }.max() ?? 1, 1),
            max(cells.compactMap { $0?.height }.max() ?? 1, 1)
        )
        let scale = max(min(cellWidth, cellHeight) / 160, 1)
        let (line, gap) = (LabelFont.height * scale, 4 * scale)
        let letter = (LabelFont.width + 1) * scale
        // Labels beside rows take half a cell at most, in as many lines as they need.
        let besideLetters = min(
            rowLabels.map(\.count).max() ?? 0, max(cellWidth / 2 / letter, 8))
        let left = rowLabels.isEmpty ? 0 : besideLetters * letter + 2 * gap
        let aboveLetters = max(cellWidth / letter, 1)
        let above = columnLabels.map { Self.lines($0, letters: aboveLetters, most: 3) }
        let top = columnLabels.isEmpty ? 0 : (above.map(\.count).max() ?? 0) * (line + scale) + 2 * gap
        let (width, height) = (
            left + columns * cellWidth + (columns - 1) * gap, top + rows * cellHeight + (rows - 1) * gap
        )
        var grid = Image(
            width: width, height: height, pixels: Array(repeating: 255, count: 3 * width * height))
        for (index, cell) in cells.enumerated() {
            guard let cell else { continue }
            grid.paste(
                cell, x: left + index % columns * (cellWidth + gap),
                y: top + index / columns * (cellHeight + gap))
        }
        for (column, lines) in above.enumerated() {
            for (number, text) in lines.enumerated() {
                let middle = left + column * (cellWidth + gap) + cellWidth / 2
                grid.draw(
                    text, x: middle - Image.width(of: text, scale: scale) / 2,
                    y: gap + number * (line + scale), scale: scale)
            }
        }
        for (row, label) in rowLabels.enumerated() {
            let lines = Self.lines(label, letters: besideLetters, most: max(cellHeight / (line + scale), 1))
            let start = top + row * (cellHeight + gap) + (cellHeight - lines.count * (line + scale)) / 2
            for (number, text) in lines.enumerated() {
                grid.draw(text, x: gap, y: start + number * (line + scale), scale: scale)
            }
        }
        return grid
    }

    /// Where a line that is a letter too long ends: before a space or behind a hyphen, else at the last letter.
    private static func breakingPoint(_ line: Substring) -> Substring.Index {
        let last = line.index(before: line.endIndex)
        if let space = line.lastIndex(of: " ") { return space }
        if let hyphen = line[..<last].lastIndex(of: "-"), hyphen > line.startIndex {
            return line.index(after: hyphen)
        }
        return last
    }

    /// A label in lines of so many letters, broken between words where that is possible; what is too long ends in dots.
    private static func lines(_ label: String, letters: Int, most: Int) -> [String] {
        var lines: [String] = []
        var rest = Substring(label)
        while !rest.isEmpty {
            guard rest.count > letters else {
                lines.append(String(rest))
                break
            }
            let end = breakingPoint(rest.prefix(letters + 1))
            lines.append(String(rest[..<end]))
            rest = rest[end...].drop { $0 == " " }
        }
        guard lines.count > most else { return lines }
        let last = lines[most - 1].prefix(max(letters - 2, 0))
        return lines.prefix(most - 1) + [last + ".."]
    }
}

extension Image {
    /// Lays a picture over this one, its upper left corner at a place; it must fit.
    fileprivate mutating func paste(_ other: Image, x: Int, y: Int) {
        for row in 0..<other.height {
            let (target, source) = (3 * ((y + row) * width + x), 3 * row * other.width)
            pixels.replaceSubrange(
                target..<target + 3 * other.width, with: other.pixels[source..<source + 3 * other.width])
        }
    }
}
