import TensorGraph

/// Where a value's bytes are, before anything has an address.
enum Storage: Hashable, Sendable {
    /// Memory that operations share one after the other.
    case value(Int)
    /// A weight or a constant, in some order of axes.
    case weight(Int)
    /// What a caller passes in, and what a caller is given.
    case input(Int)
    case result(Int)
    /// Nothing: an operand that a kernel's constants say is not there.
    case absent
}

/// What the elements of a value are.
enum Element: Hashable, Sendable {
    /// Numbers in the graph's precision.
    case number
    /// Numbers of 32 bits in a graph of 16.
    case wide
    /// Whole numbers of 32 bits.
    case integer
}

/// A value as it lies in memory: strides say how many elements apart neighbours on each axis are, so that axes can be
/// exchanged and cut without moving anything.
struct View: Sendable {
    let storage: Storage
    /// The first element, in elements from where the storage begins.
    var offset = 0
    var shape: [Int]
    var strides: [Int]
    let element: Element

    static let absent = View(storage: .absent, shape: [], strides: [], element: .number)

    var count: Int { shape.reduce(1, *) }
    var rank: Int { shape.count }
    /// How many elements there are in memory: those of an axis without a stride are one.
    var distinctCount: Int { zip(shape, strides).reduce(1) { $1.1 == 0 ? $0 : $0 * $1.0 } }

    /// The axes from the farthest apart to the nearest.
    var order: [Int] {
        // Axes of one element have no place of their own, and those of zero strides come last.
        shape.indices.sorted { left, right in
            strides[left] == strides[right] ? left < right : strides[left] > strides[right]
        }
    }

    /// Whether the elements fill their memory, in whichever order of axes.
    var isDense: Bool {
        let axes = shape.indices.filter { shape[$0] != 1 }.sorted { strides[$0] < strides[$1] }
        var next = 1
        for axis in axes {
            guard strides[axis] == next else { return false }
            next *= shape[axis]
        }
        return true
    }

    /// Whether the elements are in row-major order without gaps.
    var isContiguous: Bool { Self.hasStrides(strides, Shape(shape).strides, shape) }

    /// Whether strides agree on all axes where they count.
    static func hasStrides(_ left: [Int], _ right: [Int], _ shape: [Int]) -> Bool {
        shape.contains(0) || shape.indices.allSatisfy { shape[$0] == 1 || left[$0] == right[$0] }
    }

    /// Strides of a dense value whose axes are in that order, the outermost first.
    static func strides(of shape: [Int], in order: [Int]) -> [Int] {
        var strides = [Int](repeating: 0, count: shape.count)
        var next = 1
        for axis in order.reversed() {
            strides[axis] = next
            next *= shape[axis]
        }
        return strides
    }

    func permuted(_ permutation: [Int]) -> View {
        var view = self
        view.shape = permutation.map { shape[$0] }
        view.strides = permutation.map { strides[$0] }
        return view
    }

    func cut(axis: Int, _ range: Range<Int>) -> View {
        var view = self
        view.shape[axis] = range.count
        view.offset += range.lowerBound * strides[axis]
        return view
    }

    /// The same elements in row-major order under another shape; nil where that needs them moved.
    func reshaped(_ target: [Int]) -> View? {
        var view = self
        view.shape = target
        if count == 0 || isContiguous {
            view.strides = Shape(target).strides
            return view
        }
        let axes = shape.indices.filter { shape[$0] != 1 }
        view.strides = [Int](repeating: 0, count: target.count)
        var (from, to) = (0, 0)
        while to < target.count {
            if target[to] == 1 {
                to += 1
                continue
            }
            guard from < axes.count else { return nil }
            // A run of axes here that has as many elements as a run of axes there.
            var (own, wanted) = (shape[axes[from]], target[to])
            var (fromEnd, toEnd) = (from + 1, to + 1)
            while own != wanted {
                if own < wanted {
                    guard fromEnd < axes.count else { return nil }
                    own *= shape[axes[fromEnd]]
                    fromEnd += 1
                } else {
                    guard toEnd < target.count else { return nil }
                    wanted *= target[toEnd]
                    toEnd += 1
                }
            }
            for index in from..<fromEnd - 1
            where strides[axes[index]] != strides[axes[index + 1]] * shape[axes[index + 1]] {
                return nil
            }
            var next = strides[axes[fromEnd - 1]]
            for axis in (to..<toEnd).reversed() {
                view.strides[axis] = next
                next *= target[axis]
            }
            (from, to) = (fromEnd, toEnd)
        }
        return view
    }

    /// Strides by which an index of a larger shape is read here: zero on axes that are repeated.
    func broadcastStrides(to larger: [Int]) -> [Int] {
        larger.indices.map { axis in
            let own = axis - (larger.count - rank)
            return own < 0 || shape[own] == 1 ? 0 : strides[own]
        }
    }

    /// How a picture `[N, C, H, W]` lies whose channels are nearest in memory; nil for another.
    var channelsLast: (picture: Int, pixel: Int)? {
        guard rank == 4, shape[1] == 1 || strides[1] == 1 else { return nil }
        let (height, width) = (shape[2], shape[3])
        let pixel = width > 1 ? strides[3] : height > 1 ? strides[2] : shape[1]
        guard height == 1 || width == 1 || strides[2] == strides[3] * width else { return nil }
        return (shape[0] > 1 ? strides[0] : 0, pixel)
    }
}

/// Axes as kernels walk them: those that lie one after the other in all operands are one.
struct MergedAxes {
    /// The outermost first.
    var sizes: [Int] = []
    /// Of each operand.
    var strides: [[Int]]

    /// - Parameter order: The axes from the outermost to the innermost.
    init(_ shape: [Int], order: [Int], _ operands: [[Int]]) {
        strides = operands.map { _ in [] }
        for axis in order where shape[axis] != 1 {
            let own = operands.map { $0[axis] }
            let isRunOn =
                !sizes.isEmpty
                && zip(strides, own).allSatisfy { ($0.last ?? 0) == $1 * shape[axis] }
            if isRunOn {
                sizes[sizes.count - 1] *= shape[axis]
                for index in strides.indices { strides[index][sizes.count - 1] = own[index] }
            } else {
                sizes.append(shape[axis])
                for index in strides.indices { strides[index].append(own[index]) }
            }
        }
    }

    var rank: Int { max(sizes.count, 1) }

    /// A list as long as kernels have it, with what does nothing in front or behind.
    static func padded(_ list: [Int], to count: Int, with filler: Int, inFront: Bool = false) -> [UInt32] {
        let filling = [UInt32](repeating: UInt32(filler), count: count - list.count)
        let own = list.map { UInt32(truncatingIfNeeded: $0) }
        return inFront ? filling + own : own + filling
    }
}
