import Synchronization

/// Ends the steps of the pictures early that a request is working on. They are then finished as what the model saw in
/// their noise at the last step, which ``GenerationRecord/stepsTaken`` tells.
///
/// ```swift
/// let stop = EarlyStop()
/// for try await event in model.generate(request, stop: stop) { … }
/// // Meanwhile, from anywhere:
/// stop.request(.batch)
/// ```
public final class EarlyStop: Sendable {
    /// What is stopped.
    public enum Extent: Int, Sendable {
        /// The pictures that are made now: those of the batch whose steps are taken, or, where none is yet, of the first.
        case batch = 1
        /// The request: besides, no other picture is begun.
        case request
    }

    /// The extent's number; 0 for none.
    private let state = Atomic(0)

    public init() {}

    /// Asks for it; at least one step is taken. Where the steps are done, the pictures are finished all the same.
    ///
    /// - Parameter extent: A whole request stays stopped, whatever is asked for after.
    public func request(_ extent: Extent) { state.max(extent.rawValue, ordering: .relaxed) }

    /// What is about to be stopped, or was, where it is the request; nil where nothing is.
    public var requested: Extent? { Extent(rawValue: state.load(ordering: .relaxed)) }

    /// A batch is finished: the next one's pictures are not meant.
    func batchIsDone() {
        _ = state.compareExchange(expected: Extent.batch.rawValue, desired: 0, ordering: .relaxed)
    }
}
