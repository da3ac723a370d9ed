/// What pictures are wanted, in the words of the command line; nil is the server's default.
public struct JobRequest: Codable, Sendable, Hashable {
    /// What the picture shows.
    public var prompt: String
    /// What it does not show.
    public var negativePrompt: String?
    /// A name of ``EaselClient/models()``.
    public var model: String?
    /// In pixels, from 64 to 2048.
    public var width: Int?
    /// In pixels, as the width.
    public var height: Int?
    public var steps: Int?
    public var guidanceScale: Float?
    /// Picture `i` of several has the seed plus `i`.
    public var seed: UInt64?
    public var sampler: String?
    public var schedule: String?
    /// The number of pictures.
    public var count: Int?
    /// Whose rules are followed: `diffusers`, `a1111`, `comfyui` or `sd.cpp`.
    public var profile: String?
    /// What ``EaselClient/upload(_:)`` gave, or a picture's identifier: a picture to start from.
    public var initImage: String?
    /// How much of it is given up for noise, from 0 to 1.
    public var strength: Double?
    /// What ``EaselClient/upload(_:)`` gave: white is made anew.
    public var mask: String?
    /// After how many steps each time there is a preview; 0 for none.
    public var previewInterval: Int?
    /// From −10 to 10; what is higher comes first.
    public var priority: Int?

    public init(
        prompt: String, negativePrompt: String? = nil, steps: Int? = nil, seed: UInt64? = nil,
        count: Int? = nil
    ) {
        self.prompt = prompt
        self.negativePrompt = negativePrompt
        self.steps = steps
        self.seed = seed
        self.count = count
    }
}

/// What became of a request.
public struct Job: Decodable, Sendable, Hashable {
    public enum State: String, Codable, Sendable, CaseIterable {
        case queued, running, done, failed, cancelled

        public var isOver: Bool { self != .queued && self != .running }
    }

    /// Why it failed.
    public struct Failure: Decodable, Sendable, Hashable {
        public let code: String
        public let message: String
    }

    public let id: String
    public let state: State
    /// How many are taken before it; nil where it is over.
    public let position: Int?
    /// An estimate.
    public let secondsLeft: Double?
    /// From 0 to 1.
    public let progress: Double
    public let error: Failure?
    public let warnings: [String]
    /// In seconds, by stage.
    public let timings: [String: Double]
    public let pictures: [Picture]
}

/// A picture of the gallery.
public struct Picture: Decodable, Sendable, Hashable {
    /// The hash of its file.
    public let id: String
    public let width: Int
    public let height: Int
    public let model: String
    public let sampler: String
    public let prompt: String
    public let negativePrompt: String
    public let favourite: Bool
    public let tags: [String]
    /// In AUTOMATIC1111's words.
    public let parameters: String
}
