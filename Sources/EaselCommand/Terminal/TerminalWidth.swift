import Foundation

/// How many characters stand beside each other on the terminal that standard error goes to; 80 where it does not say.
var terminalWidth: Int {
    var size = winsize()
    return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 1 ? Int(size.ws_col) : 80
}
