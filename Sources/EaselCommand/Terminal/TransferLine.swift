import EaselHub
import Foundation
import Synchronization

/// One line on standard error that says how much of a model has come.
final class TransferLine: Sendable {
    private let isShown: Bool
    private let state = Mutex((last: ContinuousClock.now, first: (ContinuousClock.now, 0), isDrawn: false))

    init(quiet: Bool) { isShown = !quiet && isatty(STDERR_FILENO) == 1 }

    func show(_ progress: Hub.Progress) {
        guard isShown else { return }
        let text = state.withLock { state -> String? in
            let now = ContinuousClock.now
            if !state.isDrawn { state.first = (now, progress.byteCount) }
            guard !state.isDrawn || state.last.duration(to: now) > .milliseconds(200) else { return nil }
            (state.last, state.isDrawn) = (now, true)
            return line(progress, since: state.first)
        }
        if let text { write("\r\u{1B}[K" + text.prefix(terminalWidth - 1)) }
    }

    /// `50 %  2.1 of 4.3 GB  12.5 MB/s  2:56 left  unet/…`
    private func line(_ progress: Hub.Progress, since start: (ContinuousClock.Instant, Int)) -> String {
        let (count, total) = (Double(progress.byteCount), Double(progress.totalByteCount))
        let (unit, divisor) = total < 1e9 ? ("MB", 1e6) : ("GB", 1e9)
        let elapsed = seconds(start.0.duration(to: .now))
        let rate = elapsed > 0.5 ? (count - Double(start.1)) / elapsed : 0
        var parts = [
            String(format: "%3.0f %%", total > 0 ? (100 * count / total).rounded(.down) : 0),
            String(format: "%.1f of %.1f ", count / divisor, total / divisor) + unit,
        ]
        if rate > 0 {
            parts.append(String(format: "%.1f MB/s", rate / 1e6))
            if total > count { parts.append(ProgressLine.clockTime((total - count) / rate) + " left") }
        }
        return (parts + [progress.file.withoutControls]).joined(separator: "  ")
    }

    func clear() {
        let isDrawn = state.withLock { state in
            defer { state.isDrawn = false }
            return state.isDrawn
        }
        if isDrawn { write("\r\u{1B}[K") }
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
