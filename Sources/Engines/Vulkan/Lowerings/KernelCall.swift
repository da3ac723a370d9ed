import EngineInterface

/// One dispatch: a kernel, what it reads and writes, and its numbers.
struct KernelCall: Sendable {
    struct Operand: Sendable {
        let view: View
        let isWritten: Bool

        static func reads(_ view: View) -> Operand { Operand(view: view, isWritten: false) }
        static func writes(_ view: View) -> Operand { Operand(view: view, isWritten: true) }
    }

    let kernel: Kernel
    /// In the order of the shader's addresses.
    let operands: [Operand]
    /// What follows the addresses in the shader's parameters.
    let parameters: [UInt32]
    let workgroups: Workgroups
    /// The products that it sums up; nil where they are not what it is for.
    var products: ProductSizes?
    /// How the product is divided that the call is a part of; nil for one that is divided in one way only.
    var division: ProductDivision?
}

/// A product that can be divided in several ways, and the way.
struct ProductDivision: Sendable, Hashable {
    let shape: ProductShape
    let choice: ProductChoice
}

/// How many products a dispatch sums up: for each of so many pairs of matrices, `rows · columns` sums of `depth` products.
struct ProductSizes: Sendable, Hashable {
    let rows, columns, depth: Int
    var batches = 1

    /// Multiplications and additions.
    var operationCount: Int { 2 * rows * columns * depth * batches }
}

/// How many workgroups a dispatch has on each axis.
struct Workgroups: Sendable, Hashable {
    let x, y, z: Int

    init(_ x: Int, _ y: Int = 1, _ z: Int = 1) {
        self.x = x
        self.y = y
        self.z = z
    }

    /// So many in a row, folded where they are more than one axis has on every device.
    init(inRow count: Int) {
        let most = 32768
        self.init(min(count, most), (count + most - 1) / most)
    }

    /// As many as have that many invocations, with so many in a workgroup.
    init(invocations: Int, each: Int = 256) { self.init(inRow: (invocations + each - 1) / each) }

    /// Whether they are no more on any axis than `most` has.
    func fit(_ most: Workgroups) -> Bool { x <= most.x && y <= most.y && z <= most.z }

    /// The same number of them, with rows beside each other where there are more than `most` has; the last row may be longer
    /// than what is left.
    func foldingRows(_ most: Workgroups) -> Workgroups {
        let beside = (y + most.y - 1) / most.y
        return beside <= 1 ? self : Workgroups(x * beside, (y + beside - 1) / beside, z)
    }
}

extension Lowering {
    /// Checks that no call has more workgroups than the device.
    ///
    /// - Throws: ``EngineError/failed(engine:graph:reason:)``.
    func checkWorkgroups() throws(EngineError) {
        let most = tuning.mostWorkgroups
        for call in calls where !call.workgroups.fit(most) {
            let own = call.workgroups
            throw .failed(
                engine: "vulkan", graph: graph.name,
                reason:
                    "\(call.kernel.file) needs \(own.x)×\(own.y)×\(own.z) workgroups, and the device has "
                    + "\(most.x)×\(most.y)×\(most.z) at most. Ask for a smaller picture or fewer at once, or compute on "
                    + "the CPU (--device cpu).")
        }
    }
}
