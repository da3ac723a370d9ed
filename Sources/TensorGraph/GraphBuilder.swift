/// Collects a network's operations while the function that describes the network runs.
///
/// Shapes are inferred and checked at every operation. A fault does not stop the description: the operation
/// gives what its result would have been, so that all faults of a checkpoint are reported together.
public final class GraphBuilder {
    let name: String
    let catalog: any WeightCatalog
    /// The layer whose weights were declared last: what a fault is said to be in.
    var layer = ""

    private var nodes: [Graph.Node] = []
    private var problems: [GraphError.Problem] = []
    /// By the weights' names. Tensors refer to the builder, which would keep itself by holding them.
    private var weightNodes: [String: Int] = [:]
    private var inputNames: Set<String> = []

    init(name: String, catalog: any WeightCatalog) {
        self.name = name
        self.catalog = catalog
    }

    /// The root of the checkpoint's names.
    public var weights: WeightScope { WeightScope(path: "", builder: self) }

    /// Declares a value that callers pass in.
    public func input(_ name: String, _ shape: Shape, _ elementType: ElementType = .float32) -> Tensor {
        if !inputNames.insert(name).inserted {
            report(.mismatch(layer: layer, "two inputs are named \"\(name)\""))
        }
        return append(.primitive(.input(name)), [], type: TensorType(shape, elementType))
    }

    /// Declares values that are part of the network's definition.
    public func constant(_ values: HostTensor) -> Tensor {
        append(.primitive(.constant(values)), [], type: TensorType(values.shape, values.elementType))
    }

    /// Declares a scalar that is part of the network's definition.
    public func constant(_ value: Float) -> Tensor { constant(HostTensor([value], shape: [])) }

    func weight(_ path: String, shape: Shape) -> Tensor {
        layer = path.split(separator: ".").dropLast().joined(separator: ".")
        if let node = weightNodes[path] {
            let known = Tensor(type: nodes[node].type, node: node, builder: self)
            if known.shape != shape {
                report(.wrongShape(weight: path, expected: shape, actual: known.shape))
            }
            return known
        }
        let entry = catalog.entry(named: path)
        if let entry {
            if entry.shape != shape {
                report(.wrongShape(weight: path, expected: shape, actual: entry.shape))
            } else if !entry.elementType.isFloatingPoint, !isScaled(path) {
                report(.wrongType(weight: path, actual: entry.elementType))
            }
        } else {
            report(.missing(weight: path, expected: shape))
        }
        let tensor = append(
            .primitive(.weight(path, storage: entry?.elementType ?? .float32)), [], type: TensorType(shape))
        weightNodes[path] = tensor.node
        return tensor
    }

    static let scaleEnding = "_scale"

    /// Whether the checkpoint has a weight as integers of 8 or 4 bits that a scale belongs to.
    func isScaled(_ path: String) -> Bool {
        catalog.entry(named: path)?.elementType.isScaled == true
            && catalog.entry(named: path + Self.scaleEnding) != nil
    }

    /// The shape `[rows, groups, group size]` that a matrix is stored in as integers of 8 or 4 bits; nil for others.
    func groups(_ path: String, of matrix: Shape) -> Shape? {
        guard isScaled(path), matrix.rank == 2, let own = catalog.entry(named: path)?.shape, own.rank == 3,
            own[0] == matrix[0], own[2] > 0, matrix[1].isMultiple(of: own[2]), own[1] == matrix[1] / own[2]
        else { return nil }
        return own
    }

    /// Appends a primitive, inferring its type from its inputs.
    func append(_ primitive: Primitive, _ inputs: [Tensor]) -> Tensor {
        let types = inputs.map(\.type)
        do {
            return append(.primitive(primitive), inputs, type: try primitive.infer(types))
        } catch {
            report(.mismatch(layer: layer, "\(primitive.name) of \(describe(types)): \(error.reason)"))
            return append(.primitive(primitive), inputs, type: types.first ?? TensorType([]))
        }
    }

    /// Appends a composite, inferring its type from its inputs.
    func append(_ composite: any CompositeOperation, _ inputs: [Tensor]) -> Tensor {
        let types = inputs.map(\.type)
        do {
            return append(.composite(composite), inputs, type: try composite.infer(types))
        } catch {
            report(.mismatch(layer: layer, "\(composite.name) of \(describe(types)): \(error.reason)"))
            return append(.composite(composite), inputs, type: types.first ?? TensorType([]))
        }
    }

    /// Appends an operation whose type is known, or what it decomposes to.
    func append(
        _ operation: Operation, _ inputs: [Tensor], type: TensorType,
        expanding isExpanded: (any CompositeOperation) -> Bool
    ) -> Tensor {
        guard case .composite(let composite) = operation, isExpanded(composite) else {
            return append(operation, inputs, type: type)
        }
        let start = nodes.count
        let result = composite.decompose(inputs)
        // A decomposition may itself use composites: expand those that were asked for as well.
        guard nodes[start...].contains(where: { $0.operation.isComposite(where: isExpanded) }) else {
            return result
        }
        let added = Array(nodes[start...])
        nodes.removeSubrange(start...)
        var moved: [Int: Tensor] = [:]
        func placed(_ index: Int) -> Tensor {
            moved[index] ?? Tensor(type: nodes[index].type, node: index, builder: self)
        }
        for (offset, node) in added.enumerated() {
            moved[start + offset] = append(
                node.operation, node.inputs.map(placed), type: node.type, expanding: isExpanded)
        }
        return placed(result.node)
    }

    private func append(_ operation: Operation, _ inputs: [Tensor], type: TensorType) -> Tensor {
        nodes.append(
            Graph.Node(operation: operation, inputs: inputs.map(\.node), type: type, layer: layer))
        return Tensor(type: type, node: nodes.count - 1, builder: self)
    }

    func report(_ problem: GraphError.Problem) { problems.append(problem) }

    func finish(outputs: [(String, Tensor)], ignoring isIgnored: (String) -> Bool = { _ in false }) throws
        -> Graph
    {
        for name in catalog.names.sorted() where weightNodes[name] == nil && !isIgnored(name) {
            if let entry = catalog.entry(named: name) {
                report(.unused(weight: name, actual: entry.shape))
            }
        }
        guard problems.isEmpty else {
            throw GraphError(
                graph: name, origin: catalog.origin,
                problems: problems.map { $0.renamed(catalog.nameInFile) })
        }
        return Graph(name: name, nodes: nodes, outputs: outputs.map { ($0.0, $0.1.node) })
    }

    private func describe(_ types: [TensorType]) -> String {
        types.map(\.description).joined(separator: ", ")
    }
}

extension Graph {
    /// Builds a graph from the function that describes it.
    ///
    /// - Parameters:
    ///   - name: What the network is called in messages.
    ///   - catalog: The checkpoint's names and shapes: each must be used exactly once.
    ///   - isIgnored: Accepts the names that the network has no use for.
    ///   - describe: Declares inputs and weights, applies operations and returns the named outputs.
    /// - Throws: ``GraphError`` with every missing, unused or mis-shaped weight and every mismatch of shapes;
    ///   and what `describe` throws.
    public static func build(
        _ name: String, weights catalog: any WeightCatalog,
        ignoring isIgnored: (String) -> Bool = { _ in false },
        _ describe: (GraphBuilder) throws -> KeyValuePairs<String, Tensor>
    ) throws -> Graph {
        let builder = GraphBuilder(name: name, catalog: catalog)
        let outputs = try describe(builder)
        return try builder.finish(outputs: outputs.map { ($0.key, $0.value) }, ignoring: isIgnored)
    }

    /// Builds a graph without weights.
    public static func build(
        _ name: String, _ describe: (GraphBuilder) throws -> KeyValuePairs<String, Tensor>
    ) throws -> Graph {
        try build(name, weights: NoWeights(), describe)
    }
}
