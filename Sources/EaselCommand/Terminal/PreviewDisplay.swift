import Foundation
import Imaging

/// Shows previews on the terminal, each in the last one's place, above the progress line.
struct PreviewDisplay {
    private let pictureProtocol: PictureProtocol
    private var isShown = false
    /// How many rows of text a picture takes.
    private static let rows = 12

    init(_ pictureProtocol: PictureProtocol) { self.pictureProtocol = pictureProtocol }

    /// Shows a picture and leaves the cursor at the beginning of the line below.
    mutating func show(_ image: Image) {
        guard pictureProtocol != .none else { return }
        // Room is made by going down, so that the screen scrolls before the picture is there.
        let room = isShown ? "\r" : "\r\u{1B}[K" + String(repeating: "\n", count: Self.rows)
        isShown = true
        let picture = TerminalPicture(image: image)
            .shown(by: pictureProtocol, rows: Self.rows, rowHeight: Self.rowHeight)
        let text = room + "\u{1B}[\(Self.rows)A\u{1B}7" + picture + "\u{1B}8\u{1B}[\(Self.rows)B\r"
        FileHandle.standardError.write(Data(text.utf8))
    }

    /// What comes next stands below the last preview.
    mutating func keep() { isShown = false }

    /// A row's height in pixels, or what is usual where the terminal does not say.
    private static var rowHeight: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0, size.ws_ypixel > 0 else {
            return 20
        }
        return Int(size.ws_ypixel / size.ws_row)
    }
}
