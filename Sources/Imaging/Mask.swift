import Foundation

/// Which part of a picture is to be made anew: white is, black stays, grey is mixed.
public struct Mask: Sendable, Hashable {
    /// In pixels.
    public let width: Int
    /// In pixels.
    public let height: Int
    /// `width · height` values, row by row: 255 is made anew.
    public let values: [UInt8]

    /// There must be a value for each pixel.
    public init(width: Int, height: Int, values: [UInt8]) {
        precondition(
            width > 0 && height > 0 && values.count == width * height,
            "\(values.count) values for a mask of \(width) × \(height)")
        self.width = width
        self.height = height
        self.values = values
    }

    /// The brightness of a picture: ITU-R BT.601's luma, as Pillow rounds it.
    public init(_ image: Image) {
        self.init(
            width: image.width, height: image.height,
            values: (0..<image.width * image.height).map { pixel in
                let (red, green, blue) = (
                    Int(image.pixels[3 * pixel]), Int(image.pixels[3 * pixel + 1]),
                    Int(image.pixels[3 * pixel + 2])
                )
                return UInt8((red * 19_595 + green * 38_470 + blue * 7_471 + 0x8000) >> 16)
            })
    }

    /// Reads a mask drawn as a picture: PNG, JPEG or WebP. What is transparent stays, as where nothing was drawn; else it is
    /// read as ``Image/init(reading:named:pixelLimit:)`` does.
    ///
    /// - Throws: ``ImageError/notReadable(name:reason:)``.
    public init(reading bytes: Data, named name: String, pixelLimit: Int = Image.pixelLimit) throws {
        self.init(
            try PictureFile(reading: bytes, named: name, over: .black, pixelLimit: pixelLimit).image)
    }

    /// Reads a mask from a file; see ``init(reading:named:pixelLimit:)``.
    ///
    /// - Throws: ``ImageError/notReadable(name:reason:)`` also where there is no such file, or it is no regular one.
    public init(contentsOf file: URL, pixelLimit: Int = Image.pixelLimit) throws {
        try self.init(reading: pictureBytes(of: file), named: file.path, pixelLimit: pixelLimit)
    }

    /// What is transparent in a PNG file is made anew, as editors that erase to transparency mean it.
    ///
    /// - Throws: ``ImageError/notReadable(name:reason:)`` for what is not a whole PNG file.
    public init(transparencyOf bytes: Data, named name: String, pixelLimit: Int = Image.pixelLimit) throws {
        self.init(try PNG.transparency(of: bytes, named: name, pixelLimit: pixelLimit))
    }

    private init(_ raster: Raster) {
        self.init(width: raster.width, height: raster.height, values: raster.values)
    }

    private var raster: Raster { Raster(width: width, height: height, channels: 1, values: values) }

    /// Whether nothing is to be made anew.
    public var isBlack: Bool { !values.contains { $0 > 0 } }

    /// Whether every pixel is made anew or stays, and none is mixed.
    public var isHard: Bool { values.allSatisfy { $0 == 0 || $0 == 255 } }

    /// What stays is made anew, and the other way round.
    public var inverted: Mask { Mask(width: width, height: height, values: values.map { 255 - $0 }) }

    /// 255 from 128 on, else 0.
    public var hardened: Mask {
        Mask(width: width, height: height, values: values.map { $0 > 127 ? 255 : 0 })
    }

    /// What either mask makes anew.
    public func union(_ other: Mask) -> Mask {
        precondition(width == other.width && height == other.height, "masks of two sizes")
        return Mask(width: width, height: height, values: zip(values, other.values).map { max($0, $1) })
    }

    /// The mask at another size, as ``Image/resized(_:width:height:)`` has pictures.
    public func resized(_ resizing: Resizing, width: Int, height: Int) -> Mask {
        Mask(raster.resized(resizing, width: width, height: height))
    }

    /// A part of the mask; it may reach past the edges, whose values are then repeated.
    public func cropped(x: Int, y: Int, width: Int, height: Int) -> Mask {
        Mask(raster.cropped(x: x, y: y, width: width, height: height))
    }

    /// The mask with soft edges: a Gaussian blur with a standard deviation in pixels, as AUTOMATIC1111's mask blur.
    public func blurred(deviation: Double) -> Mask {
        Mask(raster.blurred(deviation: deviation))
    }

    /// The smallest rectangle with all that is not black in it; nil for a black mask.
    public var bounds: (x: Int, y: Int, width: Int, height: Int)? {
        var (left, right, top, bottom) = (width, -1, height, -1)
        for y in 0..<height {
            for x in 0..<width where values[y * width + x] > 0 {
                (left, right) = (min(left, x), max(right, x))
                (top, bottom) = (min(top, y), max(bottom, y))
            }
        }
        return right < 0 ? nil : (left, top, right - left + 1, bottom - top + 1)
    }
}
