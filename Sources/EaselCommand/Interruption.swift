import Checkpoints
import Dispatch
import Foundation

/// Ends the work when the user presses Ctrl-C, or the system asks the tool to end.
///
/// The first time, the task is cancelled, which ends a computation within moments. A model that is being
/// compiled cannot be stopped: after a second, or the second time, the tool exits where it is. No file is then
/// half written, since a picture's or a model's file appears whole or not at all, and what is unfinished is removed.
func interruptible(_ work: @escaping @Sendable () async throws -> Void) async throws {
    let task = Task(operation: work)
    let sources = [SIGINT, SIGTERM].map { number in
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInteractive))
        source.setEventHandler {
            if task.isCancelled { leave(.interrupted) }
            task.cancel()
            DispatchQueue.global(qos: .userInteractive).asyncAfter(deadline: .now() + 1) {
                leave(.interrupted)
            }
        }
        source.resume()
        return source
    }
    defer { for source in sources { source.cancel() } }
    do {
        try await task.value
        // A stream of events just ends when its task is cancelled.
        if task.isCancelled { throw CancellationError() }
    } catch is CancellationError {
        FileHandle.standardError.write(Data("easel: interrupted\n".utf8))
        leave(.interrupted)
    }
}
