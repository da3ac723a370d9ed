/// How a camera was held, by Exif's numbers: what must be done to a stored picture so that it stands upright.
enum Orientation: UInt16 {
    case upright = 1
    case mirrored, upsideDown, mirroredUpsideDown, transposed, turnedRight, transversed, turnedLeft

    /// Reads tag 0x0112 of Exif data (CIPA DC-008, section 4.6.4); upright where it is not there or says nothing known.
    init(exif: UnsafeRawBufferPointer) {
        self = Self.find(in: exif) ?? .upright
    }

    private static func find(in exif: UnsafeRawBufferPointer) -> Orientation? {
        // WebP files have "Exif\0\0" before it, JPEG's reader took it off.
        let start = exif.starts(with: "Exif\0\0".utf8) ? 6 : 0
        let bytes = UnsafeRawBufferPointer(rebasing: exif.dropFirst(start))
        guard bytes.count >= 8 else { return nil }
        let isLittle: Bool
        switch (bytes[0], bytes[1]) {
        case (UInt8(ascii: "I"), UInt8(ascii: "I")): isLittle = true
        case (UInt8(ascii: "M"), UInt8(ascii: "M")): isLittle = false
        default: return nil
        }
        func number<Value: FixedWidthInteger>(at offset: Int, _ type: Value.Type) -> Value? {
            guard offset >= 0, offset <= bytes.count - MemoryLayout<Value>.size else { return nil }
            let value = bytes.loadUnaligned(fromByteOffset: offset, as: Value.self)
            return isLittle ? Value(littleEndian: value) : Value(bigEndian: value)
        }
        guard number(at: 2, UInt16.self) == 42, let directory = number(at: 4, UInt32.self).map({ Int($0) }),
            let count = number(at: directory, UInt16.self)
        else { return nil }
        for entry in 0..<Int(count) {
            let place = directory + 2 + 12 * entry
            guard let tag = number(at: place, UInt16.self) else { return nil }
            guard tag == 0x0112 else { continue }
            return number(at: place + 8, UInt16.self).flatMap(Orientation.init(rawValue:))
        }
        return nil
    }
}

extension Image {
    /// The picture as it was seen, when it was stored as the camera was held.
    func upright(_ orientation: Orientation) -> Image {
        guard orientation != .upright else { return self }
        let isTurned = orientation.rawValue >= Orientation.transposed.rawValue
        let (newWidth, newHeight) = isTurned ? (height, width) : (width, height)
        let (right, bottom) = (width - 1, height - 1)
        let turned = [UInt8](unsafeUninitializedCapacity: pixels.count) { buffer, count in
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
                    for channel in 0..<3 {
                        buffer[3 * (y * newWidth + x) + channel] =
                            pixels[3 * (sourceY * width + sourceX) + channel]
                    }
                }
            }
            count = pixels.count
        }
        return Image(width: newWidth, height: newHeight, pixels: turned)
    }
}
