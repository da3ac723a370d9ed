import Sampling

/// A request that is worked on, alone or in a batch with others.
struct PlannedRequest: Sendable {
    let plan: GenerationPlan
    var stop: EarlyStop?
    let tell: @Sendable (GenerationEvent) -> Void
    /// Whether someone still waits for its pictures.
    var isWanted: @Sendable () -> Bool = { true }
    /// Told when its pictures are made, or why they cannot be, where it is one of several; else that ends all.
    var end: (@Sendable ((any Error)?) -> Void)?
}

/// Pictures that are computed at once: some of one request's, or one each of several requests that agree in all that a
/// batch shares.
struct PictureBatch: Sendable {
    /// What there is of one request.
    struct Member: Sendable {
        let request: PlannedRequest
        /// The pictures' indices in the request.
        let pictures: Range<Int>
        /// Where they are in the batch.
        let places: Range<Int>
    }

    let members: [Member]

    /// What all requests agree in: sizes, steps, sampler, guidance; not the prompts, seeds and previews.
    var plan: GenerationPlan { members[0].request.plan }

    /// How many pictures.
    var count: Int { members.reduce(0) { $0 + $1.pictures.count } }

    /// Some pictures of a request.
    init(_ request: PlannedRequest, _ pictures: Range<Int>) {
        members = [Member(request: request, pictures: pictures, places: 0..<pictures.count)]
    }

    /// One picture of each of several requests.
    init(oneOfEach requests: [PlannedRequest]) {
        members = requests.enumerated().map {
            Member(request: $1, pictures: 0..<1, places: $0..<$0 + 1)
        }
    }

    /// A request's batches; one of several requests.
    static func batches(of requests: [PlannedRequest]) -> [PictureBatch] {
        guard requests.count == 1 else { return [PictureBatch(oneOfEach: requests)] }
        return requests[0].plan.batches.map { PictureBatch(requests[0], $0) }
    }

    /// The noise of all pictures.
    func noise() -> PictureNoise {
        PictureNoise(joining: members.map { $0.request.plan.noise(for: $0.pictures) })
    }

    /// Tells each request of a step, with its own pictures' latents.
    func tell(_ step: DenoisingStep, _ colors: LatentColors?) {
        for member in members {
            let (plan, own) = (member.request.plan, step.pictures(member.places))
            member.request.tell(
                .step(
                    Step(
                        own, picture: plan.request.firstPicture + member.pictures.lowerBound,
                        previews: plan.previews(own, colors))))
        }
    }
}

/// What a request's pictures of a batch came to.
struct DenoisedPictures: Sendable {
    let latents: Latents
    /// Nil where all steps were.
    var stepsTaken: Int?
}
