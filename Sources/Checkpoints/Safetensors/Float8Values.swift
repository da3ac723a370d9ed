import TensorGraph

/// Numbers of 8 bits with an exponent, of four kinds (Micikevicius et al. 2022, arXiv 2209.05433, and Noune et al. 2022,
/// arXiv 2206.02915): each is a number of half precision.
struct Float8Values: TensorDecoder {
    /// Where the first is in the file.
    let offset: Int
    private let halves: [UInt16]

    /// - Parameter scale: What the numbers are multiplied by.
    /// - Returns: Nil for a type that is not one of these.
    init?(_ type: SafetensorsType, offset: Int, scale: Float = 1) {
        self.offset = offset
        let halves: [UInt16]
        switch type {
        case .float8E5M2: halves = Self.e5m2
        case .float8E4M3: halves = Self.e4m3
        case .float8E5M2FNUZ: halves = Self.e5m2fnuz
        case .float8E4M3FNUZ: halves = Self.e4m3fnuz
        default: return nil
        }
        self.halves =
            scale == 1
            ? halves
            : halves.map { UInt16(float16: Float(float16: UInt16(littleEndian: $0)) * scale).littleEndian }
    }

    func decode(_ file: UnsafeRawBufferPointer, into values: UnsafeMutableRawBufferPointer) {
        halves.withUnsafeBufferPointer { halves in
            for index in 0..<values.count / 2 {
                values.storeBytes(
                    of: halves[Int(file[offset + index])], toByteOffset: index * 2, as: UInt16.self)
            }
        }
    }

    private static let e5m2 = (0..<256).map { (UInt16($0) << 8).littleEndian }
    private static let e4m3 = table(mantissaBits: 3, bias: 7) { $0 & 0x7F == 0x7F }
    private static let e5m2fnuz = table(mantissaBits: 2, bias: 16) { $0 == 0x80 }
    private static let e4m3fnuz = table(mantissaBits: 3, bias: 8) { $0 == 0x80 }

    /// The halves of all bytes, of a type without infinities.
    private static func table(mantissaBits: Int, bias: Int, isNaN: (Int) -> Bool) -> [UInt16] {
        (0..<256).map { byte in
            if isNaN(byte) { return (0x7E00 as UInt16).littleEndian }
            let mantissa = Float(byte & (1 << mantissaBits - 1))
            let exponent = byte >> mantissaBits & (1 << (7 - mantissaBits) - 1)
            let unit = Float(sign: .plus, exponent: max(exponent, 1) - bias - mantissaBits, significand: 1)
            let magnitude = (mantissa + (exponent == 0 ? 0 : Float(1 << mantissaBits))) * unit
            return UInt16(float16: byte & 0x80 == 0 ? magnitude : -magnitude).littleEndian
        }
    }
}

extension UInt8 {
    /// The bits of the nearest number of 8 bits with 3 of mantissa; the largest there is, 448, for what is beyond it.
    init(float8E4M3 value: Float) {
        self.init(value, mantissaBits: 3, bias: 7, largest: 448, infinity: 0x7F)
    }

    /// The bits of the nearest number of 8 bits with 2 of mantissa; the largest there is, 57,344, for what is beyond it.
    init(float8E5M2 value: Float) {
        self.init(value, mantissaBits: 2, bias: 15, largest: 57344, infinity: 0x7C)
    }

    private init(_ value: Float, mantissaBits: Int, bias: Int, largest: Float, infinity: UInt8) {
        let sign: UInt8 = value.sign == .minus ? 0x80 : 0
        guard value.isFinite else {
            self = sign | (value.isNaN ? 0x7F : infinity)
            return
        }
        let magnitude = Swift.min(value.magnitude, largest)
        let exponent = magnitude == 0 ? 1 - bias : Swift.max(Int(magnitude.exponent), 1 - bias)
        let unit = Float(sign: .plus, exponent: exponent - mantissaBits, significand: 1)
        let count = Int((magnitude / unit).rounded(.toNearestOrEven))
        // A mantissa that is rounded up to the next power of two carries into the exponent, as it should.
        self = sign | UInt8((exponent + bias - 1) << mantissaBits + count)
    }
}
