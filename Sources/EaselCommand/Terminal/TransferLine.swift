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
            let seconds = state.first.0.duration(to: now) / .seconds(1)
            let rate = seconds > 0.5 ? Double(progress.byteCount - state.first.1) / seconds : 0
            let share = progress.totalByteCount > 0 ? 100 * progress.byteCount / progress.totalByteCount : 0
            return String(
                format: "%3d %%  %.2f of %.2f GB  %.1f MB/s  ", share, Double(progress.byteCount) / 1e9,
                Double(progress.totalByteCount) / 1e9, rate / 1e6) + progress.file
        }
        if let text { write("\r\u{1B}[K" + text.prefix(100)) }
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
