import ArgumentParser
import Easel
import Foundation
import Imaging

extension Resizing: ExpressibleByArgument {}
extension Inpainting.Fill: ExpressibleByArgument {}

/// The options of image-to-image, inpainting and outpainting.
struct SourceOptions: ParsableArguments {
    @Option(name: [.short, .long], help: "A picture to start from: PNG, JPEG or WebP.")
    var initImage: String?
    @Option(
        help:
            "How much of it is given up for noise, from 0 to 1: that share of the steps is taken (default: 0.75)."
    )
    var strength: Double?
    @Option(
        help: "crop, pad or stretch: how it comes to the size of --width and --height (default: stretch).")
    var resize: Resizing?
    @Option(help: "A picture of what is made anew of it: white is, black stays, grey is mixed.")
    var mask: String?
    @Option(help: "How soft the mask's edges are made, in pixels (default: 0).")
    var maskBlur: Double?
    @Flag(help: "Make anew what is black in the mask.")
    var maskInvert = false
    @Option(help: "original, noise or blur: what the part that is made anew begins as (default: original).")
    var inpaintFill: Inpainting.Fill?
    @Flag(help: "Work on the masked part of the picture only, at the whole size.")
    var onlyMasked = false
    @Option(help: "With --only-masked, how many pixels around it are looked at (default: 32).")
    var padding: Int?
    @Flag(inversion: .prefixedNo, help: "Put the picture's own bytes back outside the mask (default).")
    var composite: Bool?
    @Option(help: "Make the picture larger and paint the rest: left=128,right=64,top=0,bottom=0.")
    var extend: Outpainting?
    @Option(help: "With a model that edits pictures, how strongly the picture leads (default: 1.5).")
    var imageGuidanceScale: Float?
    @Option(help: "With a model of depth, a picture of how far away things are: lighter is nearer.")
    var depthMap: String?
    @Option(help: "The most pixels that a picture to start from may have.")
    var maxPixels = Image.pixelLimit

    /// - Parameters:
    ///   - isFrom: Whether the settings of a picture count where no option says otherwise.
    ///   - swept: The names of options that have several values.
    /// - Throws: `ValidationError` for options that do nothing without another.
    func check(isFrom: Bool, swept: Set<String>) throws {
        if initImage == nil, mask != nil || extend != nil {
            throw ValidationError("--mask and --extend need a picture to start from: --init-image.")
        }
        if initImage == nil, !swept.contains("init-image"), strength != nil || resize != nil {
            throw ValidationError("--strength and --resize need a picture to start from: --init-image.")
        }
        if !isFrom, !onlyMasked, padding != nil { throw ValidationError("--padding needs --only-masked.") }
        if !isFrom, mask == nil, extend == nil, !swept.contains("mask"), !swept.contains("extend"),
            composite != nil
        {
            throw ValidationError("--composite and --no-composite need a --mask or an --extend.")
        }
        let needsMask = onlyMasked || maskInvert || maskBlur != nil || inpaintFill != nil
        if !isFrom, mask == nil, extend == nil, needsMask {
            throw ValidationError(
                "--only-masked, --mask-blur, --mask-invert and --inpaint-fill need a --mask.")
        }
        if maxPixels < 1 {
            throw ValidationError("--max-pixels \(maxPixels) is not possible: give 1 or more.")
        }
    }

    /// Reads the pictures into a request.
    ///
    /// - Parameter settings: Those of the picture that the request is taken from.
    func apply(to request: inout Request, settings: PictureSettings?) throws {
        if let strength { request.strength = strength }
        if let resize { request.resize = resize }
        if let extend { request.outpainting = extend }
        if let imageGuidanceScale { request.imageGuidanceScale = imageGuidanceScale }
        if let depthMap {
            request.depthMap = try Image(contentsOf: URL(filePath: depthMap), pixelLimit: maxPixels)
        }
        guard let initImage else {
            if settings?.startsFromPicture == true {
                throw RequestError.noInitImage(field: "the picture of --from")
            }
            return
        }
        let image = try Image(contentsOf: URL(filePath: initImage), pixelLimit: maxPixels)
        request.initImage = image
        if settings?.hasMask == true, mask == nil {
            throw RequestError.noMask
        }
        guard mask != nil || request.outpainting != nil else { return }
        let drawn = try mask.map { try Mask(contentsOf: URL(filePath: $0), pixelLimit: maxPixels) }
        // Without a mask, what is painted beyond the edges is all that is made anew.
        let black = Mask(
            width: image.width, height: image.height,
            values: Array(repeating: 0, count: image.pixels.count / 3))
        var inpainting = request.inpainting ?? Inpainting(mask: black)
        inpainting.mask = drawn ?? black
        if let maskBlur { inpainting.maskBlur = maskBlur }
        if maskInvert { inpainting.invertsMask = true }
        if drawn == nil { inpainting.invertsMask = false }
        if let inpaintFill { inpainting.fill = inpaintFill }
        if onlyMasked || padding != nil && inpainting.onlyMaskedPadding != nil {
            inpainting.onlyMaskedPadding = padding ?? 32
        }
        if let composite { inpainting.composite = composite }
        request.inpainting = inpainting
    }
}

extension Outpainting: ExpressibleByArgument {
    public init?(argument: String) {
        self.init()
        for part in argument.split(separator: ",") {
            let pair = part.split(separator: "=")
            guard pair.count == 2, let pixels = Int(pair[1]), pixels >= 0 else {
                return nil
            }
            switch pair[0] {
            case "left": left = pixels
            case "right": right = pixels
            case "top": top = pixels
            case "bottom": bottom = pixels
            default: return nil
            }
        }
        guard self != Outpainting() else { return nil }
    }
}
