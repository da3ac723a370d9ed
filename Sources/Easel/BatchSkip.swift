import Synchronization

/// Ends the pictures early that a request is working on, and lets it go on with the next.
///
/// ```swift
/// let skip = BatchSkip()
/// for try await event in model.generate(request, skip: skip) { … }
/// // Meanwhile, from anywhere:
/// skip.request()
/// ```
public final class BatchSkip: Sendable {
    private let flag = Atomic(false)

    public init() {}

    /// Leaves out the pictures that are made now: those of the batch whose steps are taken, or, where none is yet, of the
    /// first. Where the steps are done the pictures are finished all the same.
    public func request() { flag.store(true, ordering: .relaxed) }

    /// Whether the pictures that are made now are to be left out.
    public var isRequested: Bool { flag.load(ordering: .relaxed) }

    /// The next pictures are not meant.
    func clear() { flag.store(false, ordering: .relaxed) }

    /// What ends the steps.
    struct Skipped: Error {}
}
