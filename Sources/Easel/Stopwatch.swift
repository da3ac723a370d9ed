/// Tells each stage as it begins and adds up how long it took.
struct Stopwatch {
    private let clock = ContinuousClock()
    private let tell: @Sendable (GenerationEvent) -> Void
    private(set) var timings: [Stage: Duration] = [:]

    init(tell: @escaping @Sendable (GenerationEvent) -> Void) { self.tell = tell }

    mutating func time<T>(_ stage: Stage, _ work: () async throws -> T) async throws -> T {
        tell(.stage(stage))
        let start = clock.now
        defer { timings[stage, default: .zero] += start.duration(to: clock.now) }
        return try await work()
    }
}
