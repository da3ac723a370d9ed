import Synchronization

extension Model {
    /// Makes the pictures of several requests in one batch: one each, equal to that made alone as a batch's are
    /// (``batchesExactly``).
    ///
    /// The requests have each their own prompt, negative prompt, seed and previews, and agree in all else. Each has a
    /// stream of its own, with the events that ``generate(_:stop:)`` tells: stages, their timings and the memory are the
    /// batch's. To end one stream, by cancelling the task that iterates it, disturbs no other: the picture's place in the
    /// batch is computed for nobody. When all have ended, so does the work. A picture whose steps are stopped early is
    /// finished with the others'.
    ///
    /// ```swift
    /// let streams = model.generate(batch: [Request(prompt: "an apple", seed: 1), Request(prompt: "a pear", seed: 2)])
    /// ```
    ///
    /// - Parameters:
    ///   - requests: From two on, that ``checkBatch(_:)`` allows.
    ///   - stops: By which the pictures are finished early: none, or one for each.
    /// - Returns: A stream for each request, in order. What ``checkBatch(_:)`` and ``generate(_:stop:)`` throw is thrown
    ///   while iterating, by all of them; only by its own, where one picture cannot be decoded.
    public func generate(
        batch requests: [Request], stops: [EarlyStop] = []
    ) -> [AsyncThrowingStream<GenerationEvent, any Error>] {
        let streams = requests.map { _ in
            AsyncThrowingStream.makeStream(of: GenerationEvent.self, throwing: (any Error).self)
        }
        let continuations = streams.map(\.continuation)
        let wanted = WantedRequests(requests.indices)
        let task = Task {
            do {
                let plans = try batchPlans(requests)
                try await makePictures(
                    of: plans.enumerated().map { index, plan in
                        let continuation = continuations[index]
                        return PlannedRequest(
                            plan: plan, stop: stops.indices.contains(index) ? stops[index] : nil,
                            tell: { continuation.yield($0) }, isWanted: { wanted.contains(index) },
                            end: { continuation.finish(throwing: $0) })
                    })
                for continuation in continuations { continuation.finish() }
            } catch {
                for continuation in continuations { continuation.finish(throwing: error) }
            }
        }
        for (index, continuation) in continuations.enumerated() {
            continuation.onTermination = { _ in
                if wanted.remove(index) { task.cancel() }
            }
        }
        return streams.map(\.stream)
    }

    /// Whether each picture of a batch equals that made alone, bit by bit, where the networks have the sizes of real ones:
    /// measured at `f32` and `bf16`, and not promised of other arithmetic, nor of weights that stay compressed.
    public var batchesExactly: Bool {
        (precision == .float32 || precision == .bfloat16) && !networks.compressesWeights
    }

    /// Checks that the pictures of several requests can be made in one batch, without making them.
    ///
    /// - Throws: ``RequestError/notOneBatch(reason:)``, and what ``check(_:)`` throws.
    public func checkBatch(_ requests: [Request]) throws { _ = try batchPlans(requests) }

    private func batchPlans(_ requests: [Request]) throws -> [GenerationPlan] {
        let plans = try requests.map { request in
            try request.check()
            guard request.count == 1, let single = try request.withChoicesMade().first else {
                throw RequestError.notOneBatch(reason: "one is for \(request.count) pictures")
            }
            let plan = try GenerationPlan(single, for: self)
            if let reason = plan.reasonToBeAlone(model: self) {
                throw RequestError.notOneBatch(reason: reason)
            }
            return plan
        }
        guard let first = plans.first else { throw RequestError.notOneBatch(reason: "there is none") }
        for plan in plans.dropFirst() {
            if let field = first.disagreement(with: plan) {
                throw RequestError.notOneBatch(reason: "they differ in \(field)")
            }
        }
        return plans
    }
}

extension GenerationPlan {
    /// Why the picture is made in no batch with others' pictures; nil where it can be.
    fileprivate func reasonToBeAlone(model: Model) -> String? {
        if request.initImage != nil || encodesPicture || model.parts.sight != nil {
            return "one starts from a picture, or sees one"
        }
        if request.highResolution != nil { return "one has a second pass" }
        if sampler.isAdaptive { return "the sampler \(sampler.name) chooses its steps by the picture" }
        // Its features are of all pictures together, and made anew where one of them changes its prompt.
        if request.deepCache != nil { return "one keeps deep features over steps" }
        return nil
    }

    /// What of two plans differs that one batch has in common; nil where nothing does.
    fileprivate func disagreement(with other: GenerationPlan) -> String? {
        let fields: [(name: String, isEqual: Bool)] = [
            ("size", (width, height) == (other.width, other.height)),
            ("steps", request.steps == other.request.steps),
            ("sampler", sampler.name == other.sampler.name),
            ("schedule", request.schedule == other.request.schedule),
            ("guidance scale", request.guidanceScale == other.request.guidanceScale),
            ("LoRAs", adapters.map(\.use) == other.adapters.map(\.use)),
            ("the weights of the prompt's parts", weights == other.weights),
            ("the prompts' length in chunks", chunkCount == other.chunkCount),
            (
                "how the prompts' tokens are read",
                hidesTokens == other.hidesTokens && learnsWords == other.learnsWords
            ),
            ("settings besides the prompts and seeds", request.shared == other.request.shared),
        ]
        return fields.first { !$0.isEqual }?.name
    }
}

extension Request {
    /// The request without what each picture of a batch has for itself, and without what the plan makes definite.
    fileprivate var shared: Request {
        var shared = self
        (shared.prompt, shared.negativePrompt, shared.template) = ("", "", nil)
        shared.seed = nil
        shared.variation?.subseed = 0
        (shared.width, shared.height, shared.sampler) = (nil, nil, nil)
        (shared.previewInterval, shared.batchSize, shared.firstPicture) = (nil, 1, 0)
        return shared
    }
}

/// Which of a batch's requests someone still waits for.
private final class WantedRequests: Sendable {
    private let indices: Mutex<Set<Int>>

    init(_ indices: Range<Int>) { self.indices = Mutex(Set(indices)) }

    func contains(_ index: Int) -> Bool { indices.withLock { $0.contains(index) } }

    /// - Returns: Whether it was the last.
    func remove(_ index: Int) -> Bool {
        indices.withLock { $0.remove(index) != nil && $0.isEmpty }
    }
}
