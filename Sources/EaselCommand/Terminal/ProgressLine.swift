import Easel
import Foundation

/// One line on the terminal that says how far the work is; nothing where the output is not a terminal.
struct ProgressLine {
    private let isShown: Bool
    private let clock = ContinuousClock()
    private var start: ContinuousClock.Instant?

    init(quiet: Bool) { isShown = !quiet && isatty(STDERR_FILENO) == 1 }

    mutating func show(_ stage: Stage) {
        start = stage == .denoising ? clock.now : nil
        write(stage.title + " …")
    }

    mutating func show(_ step: Step, picture: Int, of pictures: Int) {
        let done = step.index + 1
        let elapsed = start.map { seconds($0.duration(to: clock.now)) } ?? 0
        let rate = elapsed > 0 ? Double(done) / elapsed : 0
        let left = rate > 0 ? Double(step.count - done) / rate : 0
        let picture = pictures > 1 ? "picture \(picture + 1)/\(pictures)  " : ""
        let speed =
            rate >= 1 || rate == 0
            ? "\(rate.formatted(.number.precision(.fractionLength(2)))) it/s"
            : "\((1 / rate).formatted(.number.precision(.fractionLength(2)))) s/it"
        let figures = " \(done)/\(step.count)  \(speed)  \(Self.clockTime(left)) left"
        // On a narrow terminal, the figures say more than the bar.
        let length = min(24, max(0, terminalWidth - 1 - picture.count - figures.count))
        let filled = done * length / step.count
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: length - filled)
        write(picture + bar + figures)
    }

    func clear() { if isShown { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) } }

    /// A line that is longer than the terminal is wide could not be taken back.
    private func write(_ text: String) {
        guard isShown else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[K\(text.prefix(terminalWidth - 1))".utf8))
    }

    /// Minutes and seconds.
    static func clockTime(_ seconds: Double) -> String {
        let whole = Int(min(seconds, 1e6).rounded())
        let rest = whole % 60
        return "\(whole / 60):\(rest < 10 ? "0" : "")\(rest)"
    }
}

/// A duration as a number of seconds.
func seconds(_ duration: Duration) -> Double { duration / .seconds(1) }

extension Stage {
    fileprivate var title: String {
        switch self {
        case .calibrating: "calibrating for int8"
        case .loadingTextEncoder: "loading the text encoder"
        case .encodingPrompt: "encoding the prompt"
        case .loadingEncoder: "loading the encoder"
        case .encodingPicture: "encoding the picture"
        case .loadingUNet: "loading the U-Net"
        case .denoising: "denoising"
        case .loadingDecoder: "loading the decoder"
        case .decoding: "decoding"
        }
    }
}
