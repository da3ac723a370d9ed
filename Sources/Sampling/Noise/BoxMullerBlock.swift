/// The Box–Muller transform of PyTorch's AVX2 build, on blocks of 16 values, bit for bit.
///
/// PyTorch takes the logarithm, sine and cosine from Cephes' single-precision polynomials (S. L. Moshier,
/// `logf.c`, `sinf.c`). Its compiler fuses each product with the sum that follows it, so the products here
/// are fused at the same places; rounded in between, one value in a hundred would differ in its last bits.
enum BoxMullerBlock {
    static let size = 16

    /// Replaces 16 uniform values in [0, 1) by 16 normal ones: the first eight give the radii and become the
    /// cosine's values, the last eight give the angles and become the sine's.
    static func transform(_ values: UnsafeMutableBufferPointer<Float>, at start: Int) {
        for index in start..<start + size / 2 {
            let radius = (-2 * logarithm(1 - values[index])).squareRoot()
            let (sine, cosine) = sineAndCosine(2 * Float.pi.nextUp * values[index + size / 2])
            // The standard deviation and mean, 1 and 0: adding 0 turns -0 into 0.
            values[index] = radius * cosine + 0
            values[index + size / 2] = radius * sine + 0
        }
    }

    /// - Parameter x: A normal number in (0, 1].
    private static func logarithm(_ x: Float) -> Float {
        // x = mantissa · 2^exponent, mantissa in [√½, √2)
        var mantissa = Float(bitPattern: (x.bitPattern & 0x807f_ffff) | 0x3f00_0000)
        var exponent = Float(Int32(x.bitPattern >> 23) - 126)
        if mantissa < 0.707106781186547524 {
            exponent -= 1
            mantissa = (mantissa - 1) + mantissa
        } else {
            mantissa -= 1
        }
        let square = mantissa * mantissa
        var y: Float = 7.0376836292e-2
        y = fused(y, mantissa, -1.1514610310e-1)
        y = fused(y, mantissa, 1.1676998740e-1)
        y = fused(y, mantissa, -1.2420140846e-1)
        y = fused(y, mantissa, 1.4249322787e-1)
        y = fused(y, mantissa, -1.6668057665e-1)
        y = fused(y, mantissa, 2.0000714765e-1)
        y = fused(y, mantissa, -2.4999993993e-1)
        y = fused(y, mantissa, 3.3333331174e-1)
        y *= mantissa
        y = fused(y, square, exponent * -2.12194440e-4)
        y = fused(square, -0.5, y)
        return fused(exponent, 0.693359375, mantissa + y)
    }

    /// - Parameter angle: In [0, 2π].
    private static func sineAndCosine(_ angle: Float) -> (sine: Float, cosine: Float) {
        // The octant, rounded up to an even one, and what is left of the angle: in [-π/4, π/4].
        let octant = (Int32(angle * 1.27323954473516) + 1) & ~1
        let y = Float(octant)
        var x = fused(y, -0.78515625, angle)
        x = fused(y, -2.4187564849853515625e-4, x)
        x = fused(y, -3.77489497744594108e-8, x)
        let square = x * x

        var cosine: Float = 2.443315711809948e-5
        cosine = fused(cosine, square, -1.388731625493765e-3)
        cosine = fused(cosine, square, 4.166664568298827e-2)
        cosine *= square
        cosine = fused(cosine, square, square * -0.5)
        cosine += 1

        var sine: Float = -1.9515295891e-4
        sine = fused(sine, square, 8.3321608736e-3)
        sine = fused(sine, square, -1.6666654611e-1)
        sine *= square
        sine = fused(sine, x, x)

        // In every other quadrant the two change places; adding 0 turns -0 into 0, as the selection by sums does.
        let swapped = octant & 2 != 0
        let first = (swapped ? cosine : sine) + 0
        let second = (swapped ? sine : cosine) + 0
        return (octant & 4 == 0 ? first : -first, (octant - 2) & 4 != 0 ? second : -second)
    }

    private static func fused(_ a: Float, _ b: Float, _ c: Float) -> Float { c.addingProduct(a, b) }
}
