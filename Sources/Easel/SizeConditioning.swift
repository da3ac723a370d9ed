/// What Stable Diffusion XL is told of a picture beside its prompt (Podell et al., "SDXL", 2023, section 2.2); models of
/// other families are told nothing. Nil is as the picture to be made is.
public struct SizeConditioning: Sendable, Hashable {
    /// The size that pictures in training had before they were made smaller: small ones look coarse.
    public var originalSize: PixelSize?
    /// Where in a larger picture this one begins, in pixels from the left and from above; 0 keeps things in the middle.
    public var crop = Crop()
    /// The size that pictures in training were cropped to.
    public var targetSize: PixelSize?
    /// How beautiful a picture is, for the refiner: from 0 to 10.
    public var aestheticScore: Float = 6
    /// The same, of what the picture is led away from.
    public var negativeAestheticScore: Float = 2.5

    public init() {}

    /// A place in a picture.
    public struct Crop: Sendable, Hashable {
        public var left = 0
        public var top = 0

        public init(left: Int = 0, top: Int = 0) {
            self.left = left
            self.top = top
        }
    }

    /// Checks the ranges.
    ///
    /// - Throws: ``RequestError``.
    func check() throws(RequestError) {
        for size in [originalSize, targetSize].compactMap(\.self) {
            for side in [size.width, size.height] where !(1...16384).contains(side) {
                throw .outOfRange(
                    field: "a size that the model is told", value: "\(side)", range: "from 1 to 16384")
            }
        }
        for offset in [crop.left, crop.top] where !(0...16384).contains(offset) {
            throw .outOfRange(field: "crop", value: "\(offset)", range: "from 0 to 16384")
        }
        for score in [aestheticScore, negativeAestheticScore] where !(0...10).contains(score) {
            throw .outOfRange(field: "aesthetic score", value: "\(score)", range: "from 0 to 10")
        }
    }

    /// The numbers as the U-Net takes them: its original height and width, where it is cropped from above and from the
    /// left, and its height and width; for the refiner, in the last's place, how beautiful it is.
    ///
    /// - Parameter count: How many the U-Net takes.
    func numbers(count: Int, size: PixelSize, isNegative: Bool) -> [Float] {
        let (original, target) = (originalSize ?? size, targetSize ?? size)
        let shared = [original.height, original.width, crop.top, crop.left].map { Float($0) }
        switch count {
        case 6: return shared + [Float(target.height), Float(target.width)]
        case 5: return shared + [isNegative ? negativeAestheticScore : aestheticScore]
        default: return []
        }
    }
}

extension SizeConditioning {
    init(_ record: GenerationRecord.Sizes) {
        func size(_ sides: [Int]?) -> PixelSize? {
            sides?.count == 2 ? sides.map { PixelSize(width: $0[0], height: $0[1]) } : nil
        }
        (originalSize, targetSize) = (size(record.original), size(record.target))
        if record.crop.count == 2 { crop = Crop(left: record.crop[0], top: record.crop[1]) }
        aestheticScore = record.aestheticScore
        negativeAestheticScore = record.negativeAestheticScore
    }
}
