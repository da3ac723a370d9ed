import Foundation
import Imaging

/// The picture that a request starts from, as the networks see it, and what becomes of theirs.
struct Canvas: Sendable {
    /// The whole picture at the size that comes out.
    private let whole: Image
    /// What is made anew of it; nil where all is.
    private let wholeMask: Mask?
    /// The part that the networks work on; nil where it is the whole.
    private let part: Part?
    private let composites: Bool
    /// What the encoder sees: of the request's size.
    let picture: Image
    /// What is made anew of it, with soft edges; nil where all is.
    let mask: Mask?

    private struct Part: Sendable { var x, y, width, height: Int }

    /// - Parameters:
    ///   - width: The request's, in pixels.
    ///   - height: The request's, in pixels.
    /// - Throws: ``RequestError`` for a mask that is black.
    init?(_ request: Request, width: Int, height: Int) throws(RequestError) {
        guard var image = request.initImage else { return nil }
        var mask = request.inpainting.map { $0.invertsMask ? $0.mask.inverted : $0.mask }
        // A mask of another size belongs to the whole picture.
        mask = mask.map {
            $0.width == image.width && $0.height == image.height
                ? $0 : $0.resized(.stretch, width: image.width, height: image.height)
        }
        if let extended = request.outpainting {
            (image, mask) = extended.extended(image, mask)
        }
        if let given = mask, given.isBlack {
            throw .blackMask(isInverted: request.inpainting?.invertsMask == true)
        }
        if let inpainting = request.inpainting, let given = mask {
            mask = given.blurred(deviation: inpainting.maskBlur)
        }
        composites = request.inpainting?.composite ?? true

        guard let padding = request.inpainting?.onlyMaskedPadding, let soft = mask, let bounds = soft.bounds
        else {
            whole = image.resized(request.resize, width: width, height: height)
            wholeMask = mask.map { Self.resized($0, request.resize, width: width, height: height) }
            part = nil
            self.mask = wholeMask
            picture = Self.filled(whole, wholeMask, request)
            return
        }
        let part = Self.part(
            around: bounds, padding: padding, of: (image.width, image.height), shape: (width, height))
        whole = image
        wholeMask = soft
        self.part = part
        let own = soft.cropped(x: part.x, y: part.y, width: part.width, height: part.height)
            .resized(.stretch, width: width, height: height)
        self.mask = own
        picture = Self.filled(
            image.cropped(x: part.x, y: part.y, width: part.width, height: part.height)
                .resized(.stretch, width: width, height: height), own, request)
    }

    /// What comes out for what the decoder gave.
    func finished(_ generated: Image) -> Image {
        guard let wholeMask else { return generated }
        guard let part else { return composites ? generated.over(whole, where: wholeMask) : generated }
        let own = generated.resized(.stretch, width: part.width, height: part.height)
        let pasted = whole.pasting(own, x: part.x, y: part.y)
        return composites ? pasted.over(whole, where: wholeMask) : pasted
    }

    /// A mask that is hard stays hard, as diffusers has it.
    private static func resized(_ mask: Mask, _ resizing: Resizing, width: Int, height: Int) -> Mask {
        let resized = mask.resized(resizing, width: width, height: height)
        return mask.isHard ? resized.hardened : resized
    }

    private static func filled(_ image: Image, _ mask: Mask?, _ request: Request) -> Image {
        guard let mask, request.inpainting?.fill == .blur else { return image }
        return image.filled(where: mask)
    }

    /// The mask's rectangle with pixels around it, made larger to the request's shape where the picture has room.
    private static func part(
        around bounds: (x: Int, y: Int, width: Int, height: Int), padding: Int, of size: (Int, Int),
        shape: (Int, Int)
    ) -> Part {
        func padded(_ start: Int, _ length: Int, _ limit: Int) -> (start: Int, length: Int) {
            let first = max(start - padding, 0)
            return (first, min(start + length + padding, limit) - first)
        }
        func widened(_ side: (start: Int, length: Int), to length: Int, _ limit: Int) -> (Int, Int) {
            let wanted = min(max(length, side.length), limit)
            let start = side.start - (wanted - side.length) / 2
            return (min(max(start, 0), limit - wanted), wanted)
        }
        let across = padded(bounds.x, bounds.width, size.0)
        let down = padded(bounds.y, bounds.height, size.1)
        let ratio = Double(shape.0) / Double(shape.1)
        let (x, width) = widened(across, to: Int((Double(down.length) * ratio).rounded()), size.0)
        let (y, height) = widened(down, to: Int((Double(across.length) / ratio).rounded()), size.1)
        return Part(x: x, y: y, width: width, height: height)
    }
}

extension Outpainting {
    /// The larger picture, its edges' pixels repeated, and what of it is made anew.
    fileprivate func extended(_ image: Image, _ mask: Mask?) -> (Image, Mask) {
        let (newWidth, newHeight) = (image.width + left + right, image.height + top + bottom)
        let own =
            mask
            ?? Mask(
                width: image.width, height: image.height,
                values: Array(repeating: 0, count: image.width * image.height))
        var values = [UInt8](repeating: 255, count: newWidth * newHeight)
        for y in 0..<image.height {
            for x in 0..<image.width {
                values[(y + top) * newWidth + x + left] = own.values[y * image.width + x]
            }
        }
        return (
            image.cropped(x: -left, y: -top, width: newWidth, height: newHeight),
            Mask(width: newWidth, height: newHeight, values: values)
        )
    }
}
