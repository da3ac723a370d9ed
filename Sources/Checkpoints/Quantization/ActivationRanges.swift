/// Between which numbers the inputs of a network's layers were seen to lie, by the layers' paths.
public struct ActivationRanges: Sendable, Hashable, Codable {
    public struct Range: Sendable, Hashable, Codable {
        public let lowest: Float
        public let highest: Float

        public init(lowest: Float, highest: Float) {
            self.lowest = lowest
            self.highest = highest
        }

        /// The lowest and the highest of the 256 levels of 8 bits that cover the range, of which one is zero, so that the
        /// zeros around a picture stay what they are.
        public var levels: (lowest: Float, highest: Float) {
            let (low, high) = (min(lowest, 0), max(highest, 0))
            let step = max((high - low) / 255, .leastNormalMagnitude)
            let zero = min(max((-low / step).rounded(), 0), 255)
            return (-zero * step, (255 - zero) * step)
        }

        /// What holds both ranges.
        public func union(_ other: Range) -> Range {
            Range(lowest: min(lowest, other.lowest), highest: max(highest, other.highest))
        }
    }

    public private(set) var ranges: [String: Range]

    public init(_ ranges: [String: Range] = [:]) { self.ranges = ranges }

    public subscript(layer: String) -> Range? { ranges[layer] }

    /// Takes note of what a layer was given.
    public mutating func add(_ range: Range, of layer: String) {
        ranges[layer] = ranges[layer]?.union(range) ?? range
    }
}
