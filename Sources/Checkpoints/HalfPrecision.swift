extension UInt16 {
    /// The IEEE 754 binary16 number that is nearest, of two the even one; infinite beyond its range. (`Float16` is not
    /// there on every processor.)
    init(float16 value: Float) {
        let bits = value.bitPattern
        let sign = UInt16(truncatingIfNeeded: bits >> 16 & 0x8000)
        let magnitude = bits & 0x7FFF_FFFF
        if magnitude > 0x7F80_0000 {
            self = sign | 0x7E00
        } else if magnitude >= 0x4780_0000 {
            self = sign | 0x7C00
        } else if magnitude < 0x3880_0000 {
            // Below 2⁻¹⁴ steps are all of 2⁻²⁴: adding ½ rounds to one, in the sum's last bits.
            let sum = Float(bitPattern: magnitude) + 0.5
            self = sign | UInt16(truncatingIfNeeded: sum.bitPattern &- (0.5 as Float).bitPattern)
        } else {
            let rounded = magnitude + 0xFFF + (magnitude >> 13 & 1)
            self = sign | UInt16(truncatingIfNeeded: (rounded - 0x3800_0000) >> 13)
        }
    }

    /// The bfloat16 number that is nearest, of two the even one.
    init(bfloat16 value: Float) {
        let bits = value.bitPattern
        let isNaN = bits & 0x7FFF_FFFF > 0x7F80_0000
        self = UInt16(truncatingIfNeeded: (isNaN ? bits | 0x40_0000 : bits + 0x7FFF + (bits >> 16 & 1)) >> 16)
    }
}
