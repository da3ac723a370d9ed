import Imaging

extension Request {
    /// The sides that pictures may have, in pixels.
    static let sides = 64...2048
    /// Of each 2×2 cells, three can be merged into the other.
    public static let tokenMergingRatios = 0...0.75

    /// How many steps are asked for.
    var stepCount: Int {
        sigmas.map { $0.last == 0 ? $0.count - 1 : $0.count } ?? timesteps?.count ?? steps
    }

    /// The size of what the picture to start from becomes, where it has one of its own.
    ///
    /// Rounded down to a multiple of the factor; made smaller or larger, with the same shape where it can be, to have
    /// sides that pictures may have.
    func ownSize(factor: Int) -> (width: Int, height: Int)? {
        guard let initImage, inpainting?.onlyMaskedPadding == nil else { return nil }
        let extended = outpainting ?? Outpainting()
        let width = initImage.width + extended.left + extended.right
        let height = initImage.height + extended.top + extended.bottom
        let (least, most) = (Double(Self.sides.lowerBound), Double(Self.sides.upperBound))
        let scale = min(max(1, least / Double(min(width, height))), most / Double(max(width, height)))
        func side(_ pixels: Int) -> Int {
            let scaled = Int((Double(pixels) * scale).rounded(scale == 1 ? .down : .toNearestOrEven))
            return max(min(scaled, Self.sides.upperBound), Self.sides.lowerBound) / factor * factor
        }
        return (side(width), side(height))
    }

    /// Checks a side and gives its size in latent cells.
    static func latentSize(axis: String, pixels: Int, factor: Int) throws(RequestError) -> Int {
        guard sides.contains(pixels), pixels % factor == 0 else {
            let bounded = min(max(pixels, sides.lowerBound), sides.upperBound)
            let below = bounded / factor * factor
            let nearest =
                below == bounded ? [bounded] : [below, below + factor].filter { sides.contains($0) }
            throw .size(axis: axis, value: pixels, multiple: factor, nearest: nearest)
        }
        return pixels / factor
    }

    /// Checks what needs no model.
    ///
    /// - Throws: ``RequestError`` for the first field that is out of range.
    func check() throws(RequestError) {
        func require<T: Comparable>(_ field: String, _ value: T, _ range: ClosedRange<T>) throws(RequestError)
        {
            guard range.contains(value) else {
                throw .outOfRange(
                    field: field, value: "\(value)", range: "from \(range.lowerBound) to \(range.upperBound)")
            }
        }
        try require("steps", steps, 1...1000)
        try require("count", count, 1...10_000)
        try require("batch size", batchSize, 1...64)
        try require("preview interval", previewInterval ?? 1, 1...1000)
        try require("strength", strength, 0...1)
        if let large = highResolution {
            guard large.scale > 1, large.scale <= 8 else {
                throw .outOfRange(
                    field: "high-resolution scale", value: "\(large.scale)", range: "above 1, to 8")
            }
            try require("high-resolution strength", large.strength, 0...1)
            try require("high-resolution steps", large.steps ?? 1, 1...1000)
        }
        try require("deep cache interval", deepCache?.interval ?? 1, DeepCache.intervals)
        try require("token merging ratio", tokenMergingRatio, Self.tokenMergingRatios)
        try require("perturbed-attention scale", perturbedAttentionScale, 0...100)
        for lora in loras {
            try require("LoRA weight", lora.weight, -100...100)
            try require("LoRA weight", lora.textEncoderWeight ?? 0, -100...100)
            try require("LoRA rank limit", lora.rankLimit ?? 1, 1...Int.max)
        }
        for scale in freeU?.scales ?? [] { try require("FreeU's scale", scale, 0...4) }
        try sizeConditioning.check()
        if let variation { try require("subseed strength", variation.strength, 0...1) }
        if initImage == nil {
            if inpainting != nil { throw .noInitImage(field: "a mask") }
            if outpainting != nil { throw .noInitImage(field: "extending a picture") }
        }
        if let inpainting {
            try require("mask blur", inpainting.maskBlur, 0...256)
            try require("padding", inpainting.onlyMaskedPadding ?? 0, 0...4096)
        }
        if let outpainting {
            for (side, pixels) in [
                ("left", outpainting.left), ("right", outpainting.right), ("top", outpainting.top),
                ("bottom", outpainting.bottom),
            ] { try require("extension at the \(side)", pixels, 0...2048) }
        }
        for scale in [guidanceScale, imageGuidanceScale ?? 1] + guidanceSchedule
        where !(scale.magnitude <= 1000) {
            throw .outOfRange(
                field: "guidance scale", value: "\(scale)", range: "a number from -1000 to 1000")
        }
    }
}
