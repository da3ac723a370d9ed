import Dispatch
import TensorGraph

/// A catalogue of weights whose values can be brought into memory.
public protocol WeightStorage: WeightCatalog {
    /// Maps weights into one range of addresses, with `additionalBytes` of zeroed, writable memory behind
    /// them for the engine's own constants.
    ///
    /// - Parameter names: Those that will be read; others may be there or not.
    /// - Throws: ``FileError`` where a file is gone, has changed or cannot be mapped.
    func map(_ names: Set<String>, additionalBytes: Int) throws -> MappedWeights

    /// Reads all of the files that have checksums of their contents, which are zip archives of PyTorch's, and compares.
    ///
    /// - Returns: Whether there are any checksums.
    /// - Throws: ``TorchError`` where bytes are not those that a checksum is of; ``FileError``; `CancellationError`.
    @discardableResult func validateChecksums() throws -> Bool

    /// A weight's numbers as the integers and scales that they are in its file; nil where they are not such, or not the file's.
    func groupedIntegers(of name: String) -> GroupedIntegers?
}

extension WeightStorage {
    /// None.
    public func groupedIntegers(of name: String) -> GroupedIntegers? { nil }

    /// Weights that come from no file have none.
    public func validateChecksums() throws -> Bool { false }

    /// Maps all of the weights.
    ///
    /// - Throws: ``FileError``.
    public func map(additionalBytes: Int) throws -> MappedWeights {
        try map(Set(names), additionalBytes: additionalBytes)
    }
}

/// Weights in memory: one range of addresses, in which each tensor has its place. Unmapped when released.
public final class MappedWeights: @unchecked Sendable {
    /// The whole range.
    public let bytes: UnsafeMutableRawBufferPointer
    /// Where the additional memory begins in ``bytes``.
    public let additionalOffset: Int
    private let offsets: [String: Int]
    private let release: @Sendable () -> Void
    private let check: @Sendable () throws -> Void
    private let pageRelease: @Sendable () -> Void
    private let writing: (@Sendable (UnsafeRawBufferPointer, _ offset: Int) -> Void)?

    /// - Parameters:
    ///   - offsets: Where each weight's first byte is in `bytes`.
    ///   - check: Throws where the files behind the memory have been cut short since they were mapped.
    ///   - releaseFilePages: Gives the memory of the files' pages back, which are read again when they are needed.
    ///   - release: Gives the memory back.
    public convenience init(
        bytes: UnsafeMutableRawBufferPointer, additionalOffset: Int, offsets: [String: Int],
        check: @escaping @Sendable () throws -> Void = {},
        releaseFilePages: @escaping @Sendable () -> Void = {}, release: @escaping @Sendable () -> Void
    ) {
        self.init(
            bytes: bytes, additionalOffset: additionalOffset, offsets: offsets, check: check,
            releaseFilePages: releaseFilePages, write: nil, release: release)
    }

    /// - Parameter write: Copies bytes to an offset in the additional memory; nil where that is memory as any other.
    init(
        bytes: UnsafeMutableRawBufferPointer, additionalOffset: Int, offsets: [String: Int],
        check: @escaping @Sendable () throws -> Void, releaseFilePages: @escaping @Sendable () -> Void,
        write: (@Sendable (UnsafeRawBufferPointer, _ offset: Int) -> Void)?,
        release: @escaping @Sendable () -> Void
    ) {
        writing = write
        self.bytes = bytes
        self.additionalOffset = additionalOffset
        self.offsets = offsets
        self.check = check
        pageRelease = releaseFilePages
        self.release = release
    }

    /// The same memory, with other places in it.
    convenience init(_ weights: MappedWeights, additionalOffset: Int, offsets: [String: Int]) {
        self.init(
            bytes: weights.bytes, additionalOffset: additionalOffset, offsets: offsets,
            check: { try weights.validate() }, releaseFilePages: { weights.releaseFilePages() },
            write: { weights.write($0, at: $1) }, release: { withExtendedLifetime(weights) {} })
    }

    deinit { release() }

    /// Where the weight's first byte is in ``bytes``, or nil for a name that is not there.
    public func offset(of name: String) -> Int? { offsets[name] }

    /// Checks that the files behind the memory are still whole: call after reading weights, since a file that
    /// was cut short reads as zeros.
    ///
    /// - Throws: ``FileError`` with the file, its size when it was mapped and its size now.
    public func validate() throws { try check() }

    /// Lets the system take back the memory that holds the files' bytes, which stay in place: they are read again
    /// where they are needed. For after the weights have been copied elsewhere.
    public func releaseFilePages() { pageRelease() }

    /// Copies bytes to an offset in the additional memory.
    func write(_ source: UnsafeRawBufferPointer, at offset: Int) {
        if let writing { return writing(source, offset) }
        UnsafeMutableRawBufferPointer(rebasing: bytes[offset...]).copyMemory(from: source)
    }

    /// Does work that reads the weights once, giving the memory of the files' pages back every so often meanwhile, so that
    /// what was read and what was made of it are not both in memory. A page that is read after all is fetched again from
    /// what the system keeps of the file.
    public func releasingFilePages<T>(_ work: () throws -> T) rethrows -> T {
        // On a thread of its own, whatever work keeps the processors busy.
        let timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "easel.weights.release"))
        timer.schedule(deadline: .now() + .milliseconds(100), repeating: .milliseconds(100))
        timer.setEventHandler { self.pageRelease() }
        timer.resume()
        // The last release must not come after the weights are gone.
        let ended = DispatchSemaphore(value: 0)
        timer.setCancelHandler { ended.signal() }
        defer {
            timer.cancel()
            ended.wait()
            pageRelease()
        }
        return try work()
    }
}
