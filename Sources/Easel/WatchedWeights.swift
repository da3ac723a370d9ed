import Checkpoints
import Synchronization
import TensorGraph

/// Weights whose values are looked at where they are mapped for an engine, beside its work, so that they are in memory
/// once.
final class WatchedWeights: WeightStorage {
    private enum Search {
        case awaited, over
        case begun(MappedWeights, found: Task<String?, any Error>)
    }

    private let base: any WeightStorage
    private let search = Mutex(Search.awaited)

    init(_ base: any WeightStorage) { self.base = base }

    var origin: String { base.origin }
    func nameInFile(of name: String) -> String { base.nameInFile(of: name) }
    var names: [String] { base.names }
    func entry(named name: String) -> WeightEntry? { base.entry(named: name) }

    func validateChecksums() throws -> Bool { try base.validateChecksums() }

    func groupedIntegers(of name: String) -> GroupedIntegers? { base.groupedIntegers(of: name) }

    func map(_ names: Set<String>, additionalBytes: Int) throws -> MappedWeights {
        let mapped = try base.map(names, additionalBytes: additionalBytes)
        // An engine may map them again, long after.
        if search.withLock({ if case .over = $0 { true } else { false } }) { return mapped }
        let found = Task.detached { [base] in
            let found = mapped.firstNonFinite(in: base)
            try mapped.validate()
            return found
        }
        search.withLock { $0 = .begun(mapped, found: found) }
        return mapped
    }

    /// The first weight with a value that is not a finite number, of those that were mapped; nil where there is none. They
    /// are not looked at again.
    func firstNonFinite() async throws -> String? {
        let search = search.withLock { search in
            defer { search = .over }
            return search
        }
        guard case .begun(let mapped, let found) = search else { return nil }
        let name = try await found.value
        // What was looked at last may have been brought back into memory.
        mapped.releaseFilePages()
        return name
    }
}
