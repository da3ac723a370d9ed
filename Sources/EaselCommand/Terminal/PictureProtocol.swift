import ArgumentParser
import Foundation

/// How a terminal is told to show a picture.
enum PictureProtocol: String, CaseIterable, ExpressibleByArgument {
    /// kitty's, which Ghostty and others have too.
    case kitty
    /// iTerm's, which WezTerm and others have too.
    case iterm
    /// DEC's, which xterm, foot, mlterm, Windows Terminal and others have.
    case sixel
    /// Two pixels a character, of any terminal with 24-bit colours.
    case blocks
    case none

    /// The best that the terminal says it has: its programs say so in the environment, and sixel in its answer to
    /// "what are you?".
    ///
    /// - Parameters:
    ///   - isTerminal: Whether there is one at all.
    ///   - attributes: Asks the terminal for its attributes.
    static func detected(
        environment: [String: String], isTerminal: Bool, attributes: () -> String = deviceAttributes
    ) -> PictureProtocol {
        guard isTerminal, environment["TERM"] != "dumb" else { return .none }
        let (term, program) = (environment["TERM"] ?? "", environment["TERM_PROGRAM"] ?? "")
        // A multiplexer's environment is that of the terminal that it was started in.
        let isMultiplexed = environment["TMUX"] != nil || term.hasPrefix("screen") || term.hasPrefix("tmux")
        if !isMultiplexed {
            if environment["KITTY_WINDOW_ID"] != nil || term == "xterm-kitty" || term == "xterm-ghostty" {
                return .kitty
            }
            if ["iTerm.app", "WezTerm", "mintty", "rio"].contains(program) { return .iterm }
        }
        if attributes().dropFirst(3).dropLast().split(separator: ";").contains("4") { return .sixel }
        return ["truecolor", "24bit"].contains(environment["COLORTERM"]) ? .blocks : .none
    }
}

/// The terminal's answer to its primary device attributes being asked for, `ESC [ ? … c`; nothing where it does not answer
/// at once.
private func deviceAttributes() -> String {
    let terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)
    guard terminal >= 0 else { return "" }
    defer { close(terminal) }
    var before = termios()
    guard tcgetattr(terminal, &before) == 0 else { return "" }
    var raw = before
    raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
    guard tcsetattr(terminal, TCSANOW, &raw) == 0 else { return "" }
    defer { tcsetattr(terminal, TCSANOW, &before) }
    let question = Array("\u{1B}[c".utf8)
    guard write(terminal, question, question.count) == question.count else { return "" }
    var answer: [UInt8] = []
    while answer.count < 64, answer.last != UInt8(ascii: "c") {
        var waiting = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
        var byte: UInt8 = 0
        guard poll(&waiting, 1, 200) == 1, read(terminal, &byte, 1) == 1 else { break }
        answer.append(byte)
    }
    return String(decoding: answer, as: UTF8.self)
}
