extension JobSettings {
    /// The same with a seed, so that the job makes the same picture whenever and however often it is begun.
    func withSeed() -> JobSettings {
        var settings = self
        settings.seed = seed ?? Seed(UInt64(UInt32.random(in: 0...UInt32.max)))
        settings.count = count ?? 1
        return settings
    }

    /// Checks what the server bounds; what a model bounds is checked with the request.
    ///
    /// - Throws: ``APIError`` that names the field.
    func check(_ limits: ServerLimits) throws {
        func within(_ field: String, _ value: Int?, _ range: ClosedRange<Int>) throws {
            guard let value, !range.contains(value) else { return }
            throw APIError.invalid(
                field,
                "\(field) \(value) is not possible: it must be from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        try within("steps", steps, 1...limits.steps)
        try within("hires.steps", hires?.steps, 1...limits.steps)
        try within("count", count, 1...limits.count)
        try within("batch_size", batchSize, 1...limits.batchSize)
        try within("priority", priority, -10...10)
        try within("preview_interval", previewInterval, 0...limits.steps)
        try within("width", width, 64...2048)
        try within("height", height, 64...2048)
        func within(_ field: String, _ value: Double?, _ range: ClosedRange<Double>) throws {
            guard let value, !range.contains(value) else { return }
            throw APIError.invalid(
                field,
                "\(field) \(value) is not possible: it must be from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        // Those of a picture to start from are checked without one too.
        try within("strength", strength, 0...1)
        try within("mask_blur", maskBlur, 0...256)
        try within("only_masked_padding", onlyMaskedPadding, 0...2048)
        try within("hires.strength", hires?.strength, 0...1)
        try within("hires.scale", hires?.scale, 1...8)
        if let width, let height {
            let scale = max(hires?.scale ?? 1, 1)
            let pixels = Double(width * height) * scale * scale
            guard pixels <= Double(limits.generatedPixels) else {
                throw APIError.invalid(
                    "width",
                    "\(Int(min(pixels, 1e15))) pixels are not possible: at most \(limits.generatedPixels) are"
                )
            }
        }
        for (field, text) in [("prompt", prompt), ("negative_prompt", negativePrompt ?? "")] {
            let count = text.unicodeScalars.count
            guard count <= limits.promptLength else {
                throw APIError.invalid(
                    field,
                    "\(field) is too long: \(count) characters, where \(limits.promptLength) may be")
            }
        }
        if let loras, loras.count > 32 {
            throw APIError.invalid("loras", "\(loras.count) LoRAs are not possible: at most 32 are")
        }
    }
}
