import Imaging

/// Which part of a picture is made anew, and how.
public struct Inpainting: Sendable, Hashable {
    /// What the part that is made anew begins as, under the noise.
    public enum Fill: String, Sendable, Hashable, CaseIterable {
        /// What is there.
        case original
        /// Noise, also in the picture that noise is put over.
        case noise
        /// Colours from around it.
        case blur
    }

    /// White is made anew, black stays, grey is mixed. Of another size than the picture, it is resized with it.
    public var mask: Mask
    /// How soft the mask's edges are made: the standard deviation of a Gaussian blur, in pixels.
    public var maskBlur: Double
    /// Whether black is made anew and white stays.
    public var invertsMask: Bool
    public var fill: Fill
    /// How many pixels around the mask are looked at when only that part of the picture is worked on, at the
    /// request's whole size; nil works on the whole picture.
    public var onlyMaskedPadding: Int?
    /// Whether the picture's own bytes are put back outside the mask.
    public var composite: Bool

    public init(
        mask: Mask, maskBlur: Double = 0, invertsMask: Bool = false, fill: Fill = .original,
        onlyMaskedPadding: Int? = nil, composite: Bool = true
    ) {
        self.mask = mask
        self.maskBlur = maskBlur
        self.invertsMask = invertsMask
        self.fill = fill
        self.onlyMaskedPadding = onlyMaskedPadding
        self.composite = composite
    }
}

extension Inpainting {
    /// The settings in AUTOMATIC1111's words.
    var extras: [GenerationMetadata.Extra] {
        let content =
            [Fill.original: "original", .noise: "latent noise", .blur: "fill"][fill] ?? fill.rawValue
        var extras = [GenerationMetadata.Extra("Masked content", content)]
        if maskBlur > 0 { extras.append(.init("Mask blur", "\(Int(maskBlur.rounded()))")) }
        if invertsMask { extras.append(.init("Mask mode", "Inpaint not masked")) }
        if let onlyMaskedPadding {
            extras += [
                .init("Inpaint area", "Only masked"), .init("Masked area padding", "\(onlyMaskedPadding)"),
            ]
        }
        return extras
    }
}

/// How many pixels a picture is made larger by at each side; what is new is painted.
public struct Outpainting: Sendable, Hashable {
    public var left: Int
    public var right: Int
    public var top: Int
    public var bottom: Int

    public init(left: Int = 0, right: Int = 0, top: Int = 0, bottom: Int = 0) {
        self.left = left
        self.right = right
        self.top = top
        self.bottom = bottom
    }
}
