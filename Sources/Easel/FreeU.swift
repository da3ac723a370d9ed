import Networks

/// FreeU: stronger backbone features and weaker skip connections at the U-Net's two coarsest levels going up (Si et
/// al., 2023). Costs nothing, changes contrast and detail.
public struct FreeU: Sendable, Hashable {
    public typealias Version = FreeUVersion

    /// b of the coarsest level and of the next, from 0 to 4; 1 changes nothing.
    public var backbone: [Float]
    /// s of the coarsest level and of the next, from 0 to 4; 1 changes nothing.
    public var skip: [Float]
    public var version: Version

    /// The authors' numbers for Stable Diffusion 1.5, unless others are given.
    public init(b1: Float = 1.5, b2: Float = 1.6, s1: Float = 0.9, s2: Float = 0.2, version: Version = .v2) {
        backbone = [b1, b2]
        skip = [s1, s2]
        self.version = version
    }

    /// What the U-Net takes: b and s of a level, then of the next.
    var scales: [Float] { [backbone[0], skip[0], backbone[1], skip[1]] }
}
