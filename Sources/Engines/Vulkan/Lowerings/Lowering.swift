import EngineInterface
import TensorGraph

/// A graph as dispatches over memory that has no addresses yet.
///
/// Pictures lie with their channels nearest in memory, whatever the graph's order of axes; exchanging and cutting axes, and
/// most changes of shape, move nothing.
struct Lowering {
    /// A weight or a constant as the kernels want it.
    struct PlacedWeight: Hashable {
        indirect enum Source: Hashable {
            case weight(String, storage: ElementType)
            case constant(HostTensor)
            /// The rows of several, one after the other.
            case rows([Source], counts: [Int])
        }

        let source: Source
        let shape: [Int]
        /// The axes from the outermost to the innermost.
        let order: [Int]
        let element: Element
    }

    let graph: Graph
    /// Whether numbers are stored in 16 bits.
    let isHalf: Bool
    let tuning: Tuning
    private(set) var calls: [KernelCall] = []
    /// The bytes of each value.
    private(set) var valueByteCounts: [Int] = []
    private(set) var weights: [PlacedWeight] = []
    private var weightIndices: [PlacedWeight: Int] = [:]
    /// The results, in the order of the graph's outputs: where each begins, and the bytes of all.
    private(set) var resultOffsets: [Int] = []
    private(set) var resultByteCount = 0
    /// Where each input begins, and the bytes of all.
    private(set) var inputOffsets: [String: Int] = [:]
    private(set) var inputByteCount = 0
    private var layer = ""
    private var views: [View?]
    /// The nodes that are computed with 32 bits in a graph of 16.
    private let wideNodes: Set<Int>
    private var converted: [Int: View] = [:]

    /// - Throws: ``EngineError/failed(engine:graph:reason:)`` for a value of more axes than kernels walk, or of more elements
    ///   than they count or the device has workgroups for.
    init(_ graph: Graph, isHalf: Bool, tuning: Tuning) throws {
        let graph = try graph.decomposed { !$0.isLowered }
        self.graph = graph
        self.isHalf = isHalf
        self.tuning = tuning
        wideNodes = isHalf ? graph.nodesOfWideValues : []
        views = [View?](repeating: nil, count: graph.nodes.count)
        let (fusions, inner) = Fusion.all(in: graph)
        let enlarged = graph.upsamplingsWithinConvolutions
        // Weights that take turns on the device are no more at one time than a turn's: all keys and values of a network's
        // context are products of one value.
        let mostNumbers = tuning.streamedByteCount.map { $0 / 2 / (isHalf ? 2 : 4) }
        let shared = SharedProducts.all(in: graph, mostNumbers: mostNumbers) {
            fusions[$0]?.root == $0 && !inner.contains($0)
        }
        for (index, node) in graph.nodes.enumerated() {
            layer = node.layer
            // Shaders index memory by numbers with a sign.
            guard node.type.shape.count <= Int(Int32.max) else {
                throw failure("a value of \(node.type.shape) has more elements than kernels count")
            }
            // A convolution reads the smaller picture.
            if inner.contains(index) || enlarged.contains(index) { continue }
            // What is stored is placed in the order in which it is read.
            if views[index] != nil || node.operation.isStored { continue }
            if let products = shared[index] {
                for (node, view) in zip(products.nodes, try multiply(products)) { views[node] = view }
            } else if let fusion = fusions[index] {
                views[index] = try lower(fusion, enlarged: enlarged)
            } else {
                views[index] = try lower(node, element: wideNodes.contains(index) ? .wide : .number)
            }
        }
        for output in graph.outputs {
            layer = "output \(output.name)"
            try store(try number(output.node), type: graph.nodes[output.node].type)
        }
        try checkWorkgroups()
    }

    /// The bytes of one element.
    func byteCount(of element: Element) -> Int { element == .number && isHalf ? 2 : 4 }

    /// Whether kernels on the value are those for 16 bits.
    func hasHalves(_ view: View) -> Bool { byteCount(of: view.element) == 2 }

    /// The value of a node as it is; whole numbers, or numbers of either width.
    private mutating func view(_ node: Int) throws -> View {
        if let view = views[node] { return view }
        guard graph.nodes[node].operation.isStored else {
            preconditionFailure("node \(node) is read before it is computed")
        }
        let view = try lower(graph.nodes[node], element: wideNodes.contains(node) ? .wide : .number)
        views[node] = view
        return view
    }

    /// The value of a node in the graph's precision; whole numbers as they are.
    mutating func number(_ node: Int) throws -> View { try value(node, as: .number) }

    /// The value of a node as numbers of a width; whole numbers as they are.
    mutating func value(_ node: Int, as element: Element) throws -> View {
        let own = try view(node)
        if own.element == element || own.element == .integer { return own }
        if let other = converted[node] { return other }
        let x = try contiguous(own)
        let y = allocate(x.shape, element)
        switch element {
        case .wide:
            call(
                Kernel(shader: .store, isHalf: isHalf, constants: [1]), [.reads(x), .writes(y)],
                [UInt32(x.count)] + MergedAxes.padded([x.count], to: 6, with: 1)
                    + MergedAxes.padded([1], to: 6, with: 0), Workgroups(invocations: x.count))
        case .number: try load(x, to: y)
        case .integer: preconditionFailure("numbers do not become whole ones")
        }
        converted[node] = y
        return y
    }

    func failure(_ reason: String) -> EngineError {
        .failed(
            engine: "vulkan", graph: graph.name, reason: layer.isEmpty ? reason : "\(layer): \(reason)")
    }

    /// The order of a picture's axes whose channels are nearest in memory.
    static let channelsLast = [0, 2, 3, 1]

    // MARK: - Values

    /// New memory for a dense value whose axes are in that order; nil is row-major.
    mutating func allocate(_ shape: [Int], _ element: Element = .number, order: [Int]? = nil) -> View {
        valueByteCounts.append(shape.reduce(1, *) * byteCount(of: element))
        return View(
            storage: .value(valueByteCounts.count - 1), shape: shape,
            strides: View.strides(of: shape, in: order ?? Array(shape.indices)), element: element)
    }

    /// A weight or a constant whose axes are to lie in that order; nil is as it is stored.
    mutating func place(
        _ source: PlacedWeight.Source, _ shape: [Int], _ element: Element, order: [Int]? = nil
    ) -> View {
        let order = order ?? Array(shape.indices)
        let placed = PlacedWeight(
            source: source, shape: shape, order: order, element: source.isInteger ? .integer : element)
        let index = weightIndices[placed] ?? weights.count
        if index == weights.count {
            weights.append(placed)
            weightIndices[placed] = index
        }
        return View(
            storage: .weight(index), shape: shape, strides: View.strides(of: shape, in: order),
            element: placed.element)
    }

    mutating func input(_ name: String, type: TensorType, _ element: Element) throws -> View {
        let offset = inputByteCount
        inputOffsets[name] = offset
        inputByteCount += (type.shape.count * 4 + 255) & ~255
        let shape = type.shape.dimensions
        let element = type.elementType == .int32 ? .integer : element
        let given = View(
            storage: .input(offset), shape: shape, strides: type.shape.strides,
            element: element == .number ? .wide : element)
        let y = allocate(shape, element, order: shape.count == 4 ? Self.channelsLast : nil)
        if element != .number { return try copy(given, to: y) }
        try load(given, to: y)
        return y
    }

    /// Numbers of 32 bits in row-major order, in the graph's precision.
    private mutating func load(_ x: View, to y: View) throws {
        let axes = try merged(x.shape, order: Array(x.shape.indices), [x.strides, y.strides])
        call(
            Kernel(shader: .load, isHalf: isHalf, constants: [Int32(axes.rank), 0]), [.reads(x), .writes(y)],
            [UInt32(y.count)] + MergedAxes.padded(axes.sizes, to: 6, with: 1)
                + MergedAxes.padded(axes.strides[1], to: 6, with: 0), Workgroups(invocations: y.count))
    }

    private mutating func store(_ x: View, type: TensorType) throws {
        let result = View(
            storage: .result(resultByteCount), shape: x.shape, strides: type.shape.strides,
            element: x.element == .integer ? .integer : .wide)
        resultOffsets.append(resultByteCount)
        resultByteCount += (x.count * 4 + 255) & ~255
        if x.element == .integer {
            try copy(x, to: result)
            return
        }
        let axes = try merged(x.shape, order: Array(x.shape.indices), [x.strides])
        call(
            Kernel(shader: .store, isHalf: isHalf, constants: [Int32(axes.rank)]),
            [.reads(x), .writes(result)],
            [UInt32(x.count)] + MergedAxes.padded(axes.sizes, to: 6, with: 1)
                + MergedAxes.padded(axes.strides[0], to: 6, with: 0), Workgroups(invocations: x.count))
    }

    // MARK: - Calls

    mutating func call(
        _ kernel: Kernel, _ operands: [KernelCall.Operand], _ parameters: [UInt32], _ workgroups: Workgroups,
        products: ProductSizes? = nil, division: ProductDivision? = nil
    ) {
        precondition(
            operands.count * 8 + parameters.count * 4 <= Kernel.parameterByteCount,
            "\(kernel.shader) has too many parameters")
        guard workgroups.x > 0, workgroups.y > 0, workgroups.z > 0 else { return }
        calls.append(
            KernelCall(
                kernel: kernel, operands: operands, parameters: parameters, workgroups: workgroups,
                products: products, division: division))
    }

    func merged(_ shape: [Int], order: [Int], _ operands: [[Int]], most: Int = 6) throws -> MergedAxes {
        let axes = MergedAxes(shape, order: order, operands)
        guard axes.sizes.count <= most else {
            throw failure("a value of \(Shape(shape)) has more axes than \(most) that do not run on")
        }
        return axes
    }

    /// Copies the elements of `x` to where `y` is, which has the same shape.
    @discardableResult
    mutating func copy(_ x: View, to y: View) throws -> View {
        let numbers = try merged(x.shape, order: y.order, [x.strides, y.strides])
        var vectors = numbers.vectors(of: vectorSize(x), offsets: [x.offset, y.offset])
        if let found = vectors, found.isRepeated.contains(true) { vectors = nil }
        let axes = vectors?.axes ?? numbers
        let count = vectors == nil ? x.count : x.count / vectorSize(x)
        call(
            Kernel(
                shader: .copy, isHalf: hasHalves(x),
                constants: [Int32(axes.rank), vectors == nil ? 0 : 1]),
            [.reads(x), .writes(y)],
            [UInt32(count)] + MergedAxes.padded(axes.sizes, to: 6, with: 1)
                + MergedAxes.padded(axes.strides[0], to: 6, with: 0)
                + MergedAxes.padded(axes.strides[1], to: 6, with: 0), Workgroups(invocations: count))
        return y
    }

    /// The value in row-major order without gaps.
    mutating func contiguous(_ x: View) throws -> View {
        if x.isContiguous {
            // Strides of axes of one element are whatever they were.
            var view = x
            view.strides = Shape(x.shape).strides
            return view
        }
        return try copy(x, to: allocate(x.shape, x.element))
    }

    /// The value with its axes in that order without gaps.
    mutating func dense(_ x: View, order: [Int]) throws -> View {
        let strides = View.strides(of: x.shape, in: order)
        if View.hasStrides(x.strides, strides, x.shape) {
            var view = x
            view.strides = strides
            return view
        }
        return try copy(x, to: allocate(x.shape, x.element, order: order))
    }
}

extension Lowering.PlacedWeight.Source {
    fileprivate var isInteger: Bool {
        if case .constant(let tensor) = self { tensor.elementType == .int32 } else { false }
    }
}

extension Lowering.PlacedWeight {
    var count: Int { shape.reduce(1, *) }
}

extension CompositeOperation {
    /// Whether there are kernels for it.
    fileprivate var isLowered: Bool {
        switch self {
        case is SiLU, is GELU, is QuickGELU, is GEGLU, is LayerNorm, is GroupNorm,
            is ScaledDotProductAttention:
            true
        default: false
        }
    }
}

extension Operation {
    /// Whether its value is a weight or a constant.
    fileprivate var isStored: Bool {
        switch self {
        case .primitive(.weight), .primitive(.constant): true
        default: false
        }
    }
}
