extension Graph {
    /// How many numbers the weights are.
    public var weightCount: Int { weights.reduce(0) { $0 + $1.type.shape.count } }

    /// How many numbers are in memory at most at one time in a run, weights and constants left out, where each value
    /// is kept from the operation that gives it to the last one that reads it. An operation that works element by
    /// element gives its result in the place of what it reads last.
    ///
    /// Engines may need more, for copies in other layouts.
    public var peakValueCount: Int {
        var lastReader = Array(nodes.indices)
        for (index, node) in nodes.enumerated() {
            for input in node.inputs { lastReader[input] = index }
        }
        for output in outputs { lastReader[output.node] = nodes.count }
        func size(_ index: Int) -> Int { nodes[index].operation.isStored ? 0 : nodes[index].type.shape.count }

        var (live, peak) = (0, 0)
        for (index, node) in nodes.enumerated() {
            let freed = Set(node.inputs).filter { lastReader[$0] == index }.reduce(0) { $0 + size($1) }
            let own = size(index)
            peak = max(peak, live + (node.operation.worksInPlace ? max(0, own - freed) : own))
            live += own - freed
            if lastReader[index] == index { live -= own }
        }
        return peak
    }
}

extension Operation {
    /// Whether the value is there before a run.
    var isStored: Bool {
        switch self {
        case .primitive(.weight), .primitive(.constant): true
        case .primitive, .composite: false
        }
    }

    fileprivate var worksInPlace: Bool {
        switch self {
        case .primitive(.unary), .primitive(.binary), .primitive(.softmax), .primitive(.reshape): true
        case .primitive: false
        case .composite(let composite):
            composite is SiLU || composite is GELU || composite is QuickGELU || composite is LayerNorm
                || composite is GroupNorm
        }
    }
}
