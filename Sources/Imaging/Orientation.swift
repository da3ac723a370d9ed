/// How a camera was held, by Exif's numbers: what must be done to a stored picture so that it stands upright.
enum Orientation: UInt16 {
    case upright = 1
    case mirrored, upsideDown, mirroredUpsideDown, transposed, turnedRight, transversed, turnedLeft

    /// What Exif data say; upright where they say nothing known.
    init(_ exif: ExifData) { self = exif.orientation.flatMap(Orientation.init(rawValue:)) ?? .upright }
}

extension Image {
    /// The picture as it was seen, when it was stored as the camera was held.
    func upright(_ orientation: Orientation) -> Image {
        orientation == .upright ? self : Image(raster.upright(orientation))
    }
}

extension Raster {
    /// The rows as they were seen, when they were stored as the camera was held.
    func upright(_ orientation: Orientation) -> Raster {
        guard orientation != .upright else { return self }
        let isTurned = orientation.rawValue >= Orientation.transposed.rawValue
        let (newWidth, newHeight) = isTurned ? (height, width) : (width, height)
        let (right, bottom) = (width - 1, height - 1)
        let turned = [UInt8](unsafeUninitializedCapacity: values.count) { buffer, count in
            for y in 0..<newHeight {
                for x in 0..<newWidth {
                    let (sourceX, sourceY) =
                        switch orientation {
                        case .upright: (x, y)
                        case .mirrored: (right - x, y)
                        case .upsideDown: (right - x, bottom - y)
                        case .mirroredUpsideDown: (x, bottom - y)
                        case .transposed: (y, x)
                        case .turnedRight: (y, bottom - x)
                        case .transversed: (right - y, bottom - x)
                        case .turnedLeft: (right - y, x)
                        }
                    for channel in 0..<channels {
                        buffer[channels * (y * newWidth + x) + channel] =
                            values[channels * (sourceY * width + sourceX) + channel]
                    }
                }
            }
            count = values.count
        }
        return Raster(width: newWidth, height: newHeight, channels: channels, values: turned)
    }
}
