/// The sizes of a tensor's axes, outermost first; a scalar has none.
public struct Shape: Sendable, Hashable, ExpressibleByArrayLiteral, CustomStringConvertible {
    public var dimensions: [Int]

    public init(_ dimensions: [Int]) { self.dimensions = dimensions }
    public init(arrayLiteral elements: Int...) { dimensions = elements }

    public var rank: Int { dimensions.count }

    /// The number of elements. The dimensions of a graph are checked when it is built, so the product is
    /// within `Int`; use ``checkedCount`` for a shape that came from a file.
    public var count: Int { dimensions.reduce(1, *) }

    /// The number of elements, or nil where a dimension is negative or the product exceeds `Int`.
    public var checkedCount: Int? {
        if dimensions.contains(where: { $0 < 0 }) { return nil }
        if dimensions.contains(0) { return 0 }
        var product = 1
        for dimension in dimensions {
            let (next, overflow) = product.multipliedReportingOverflow(by: dimension)
            if overflow { return nil }
            product = next
        }
        return product
    }

    /// The size of an axis; a negative axis counts from the innermost.
    public subscript(axis: Int) -> Int {
        get { dimensions[axis < 0 ? axis + rank : axis] }
        set { dimensions[axis < 0 ? axis + rank : axis] = newValue }
    }

    /// How many elements apart neighbours on each axis are in row-major order.
    public var strides: [Int] {
        var strides = [Int](repeating: 1, count: rank)
        for axis in stride(from: rank - 2, through: 0, by: -1) {
            strides[axis] = strides[axis + 1] * dimensions[axis + 1]
        }
        return strides
    }

    /// The shape that two operands take together by NumPy's broadcasting rule, or nil where they have none.
    public func broadcast(with other: Shape) -> Shape? {
        let rank = max(rank, other.rank)
        var result = [Int](repeating: 1, count: rank)
        for offset in 1...max(rank, 1) where rank > 0 {
            let left = offset <= self.rank ? self[-offset] : 1
            let right = offset <= other.rank ? other[-offset] : 1
            guard left == right || left == 1 || right == 1 else { return nil }
            result[rank - offset] = left == 1 ? right : left
        }
        return Shape(result)
    }

    public var description: String { "[" + dimensions.map(String.init).joined(separator: ", ") + "]" }
}
