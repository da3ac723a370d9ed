/// How a picture of another shape becomes one of the wanted size.
public enum Resizing: String, Sendable, Hashable, CaseIterable {
    /// It covers the wanted size; what is over is cut off at both sides.
    case crop
    /// It lies inside the wanted size; its edges' pixels fill the rest.
    case pad
    /// Its sides are stretched, as diffusers does.
    case stretch
}

extension Raster {
    func resized(_ resizing: Resizing, width newWidth: Int, height newHeight: Int) -> Raster {
        let (across, down) = (Double(newWidth) / Double(width), Double(newHeight) / Double(height))
        let scale: Double
        switch resizing {
        case .stretch: return resized(width: newWidth, height: newHeight)
        case .crop: scale = max(across, down)
        case .pad: scale = min(across, down)
        }
        // The side that decides the scale is exact; the other is at least a pixel.
        let fitted = resized(
            width: scale == across ? newWidth : max(Int((Double(width) * scale).rounded()), 1),
            height: scale == down ? newHeight : max(Int((Double(height) * scale).rounded()), 1))
        return fitted.cropped(
            x: (fitted.width - newWidth) / 2, y: (fitted.height - newHeight) / 2, width: newWidth,
            height: newHeight)
    }
}

extension Image {
    var raster: Raster { Raster(width: width, height: height, channels: 3, values: pixels) }

    init(_ raster: Raster) {
        self.init(width: raster.width, height: raster.height, pixels: raster.values)
    }

    /// The picture at another size, by Lanczos's kernel.
    ///
    /// - Parameters:
    ///   - width: In pixels, from 1.
    ///   - height: In pixels, from 1.
    public func resized(_ resizing: Resizing, width: Int, height: Int) -> Image {
        Image(raster.resized(resizing, width: width, height: height))
    }

    /// A part of the picture; it may reach past the edges, whose pixels are then repeated.
    public func cropped(x: Int, y: Int, width: Int, height: Int) -> Image {
        Image(raster.cropped(x: x, y: y, width: width, height: height))
    }
}
