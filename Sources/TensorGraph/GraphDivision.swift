extension Graph {
    /// The graph in parts that are to be run one after the other: those between the cuts.
    ///
    /// A value that a later part reads is an output of the part that computes it and an input of those that read it, by
    /// the name that ``partName(ofNode:)`` gives. Inputs of the graph are inputs of the parts that read them; its outputs
    /// are outputs of the part that computes them, by their own names. A weight is in each part that reads it.
    ///
    /// - Parameter cuts: Numbers of nodes, ascending: each begins a part.
    public func divided(at cuts: [Int]) -> [Graph] {
        let bounds = [0] + cuts.filter { $0 > 0 && $0 < nodes.count } + [nodes.count]
        let ranges = zip(bounds, bounds.dropFirst()).map { $0..<$1 }
        var lastReader = [Int](repeating: -1, count: nodes.count)
        for (index, node) in nodes.enumerated() {
            for input in node.inputs { lastReader[input] = index }
        }
        return ranges.map { range in
            var part: [Node] = []
            var moved: [Int: Int] = [:]
            func place(_ index: Int) -> Int {
                if let known = moved[index] { return known }
                let node = nodes[index]
                let isThere = node.operation.isStored || node.operation.isInput || range.contains(index)
                let copy =
                    isThere
                    ? Node(
                        operation: node.operation, inputs: node.inputs.map(place), type: node.type,
                        layer: node.layer)
                    : Node(
                        operation: .primitive(.input(Self.partName(ofNode: index))), inputs: [],
                        type: node.type, layer: node.layer)
                part.append(copy)
                moved[index] = part.count - 1
                return part.count - 1
            }
            var results: [(name: String, node: Int)] = []
            for index in range where !nodes[index].operation.isStored && !nodes[index].operation.isInput {
                let own = place(index)
                if lastReader[index] >= range.upperBound {
                    results.append((Self.partName(ofNode: index), own))
                }
            }
            for output in outputs where range.contains(output.node) {
                results.append((output.name, place(output.node)))
            }
            return Graph(name: name, nodes: part, outputs: results)
        }
    }

    /// What a value is called that one part of a divided graph hands to another.
    public static func partName(ofNode index: Int) -> String { "%\(index)" }

    /// Where to divide the graph so that no part has more numbers of weights than `limit`, if no single layer has: each
    /// cut at the place, in the second half of what a part may hold, where the fewest numbers are handed on.
    public func cuts(limitingWeightsTo limit: Int) -> [Int] {
        let handed = handedOnCounts
        var firstReader: [Int: Int] = [:]
        for (index, node) in nodes.enumerated() {
            for input in node.inputs where nodes[input].operation.isWeight && firstReader[input] == nil {
                firstReader[input] = index
            }
        }
        var added = [Int](repeating: 0, count: nodes.count)
        for (weight, reader) in firstReader { added[reader] += nodes[weight].type.shape.count }

        var cuts: [Int] = []
        var (held, start) = (0, 0)
        var candidates: [(place: Int, held: Int)] = []
        var index = 0
        while index < nodes.count {
            if held + added[index] > limit, held > 0 {
                let wanted = candidates.filter { 2 * $0.held >= limit && $0.place > start }
                let best =
                    wanted.reversed().min { handed[$0.place] < handed[$1.place] }?.place ?? index
                cuts.append(best)
                (held, start, index) = (0, best, best)
                candidates = []
            }
            held += added[index]
            index += 1
            candidates.append((index, held))
        }
        return cuts
    }

    /// The places before a node where a single value is read on that was computed before, with that value's node.
    public var narrowPlaces: [(place: Int, node: Int)] {
        var lastReader = Array(nodes.indices)
        for (index, node) in nodes.enumerated() {
            for input in node.inputs { lastReader[input] = index }
        }
        var live: Set<Int> = []
        var places: [(place: Int, node: Int)] = []
        for (index, node) in nodes.enumerated() {
            live = live.filter { lastReader[$0] >= index }
            if live.count == 1, let only = live.first { places.append((index, only)) }
            if !node.operation.isStored { live.insert(index) }
        }
        return places
    }

    /// For each place before a node, and the end: how many numbers that were computed before it are read after it.
    private var handedOnCounts: [Int] {
        var changes = [Int](repeating: 0, count: nodes.count + 2)
        var lastReader = Array(nodes.indices)
        for (index, node) in nodes.enumerated() {
            for input in node.inputs { lastReader[input] = index }
        }
        for (index, node) in nodes.enumerated() where !node.operation.isStored && !node.operation.isInput {
            changes[index + 1] += node.type.shape.count
            changes[lastReader[index] + 1] -= node.type.shape.count
        }
        var live = 0
        return changes.map { change in
            live += change
            return live
        }
    }
}

extension Operation {
    fileprivate var isInput: Bool { if case .primitive(.input) = self { true } else { false } }
    fileprivate var isWeight: Bool { if case .primitive(.weight) = self { true } else { false } }
}
