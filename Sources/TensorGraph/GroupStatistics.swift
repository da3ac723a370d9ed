extension Graph {
    /// The names of what one group normalisation measures and is given: `[1, groups, 1]` each.
    public static func statisticsNames(ofNorm index: Int) -> (mean: String, variance: String) {
        ("mean \(index)", "variance \(index)")
    }

    /// How many group normalisations there are.
    public var groupNormCount: Int { nodes.count { $0.operation.groupNorm != nil } }

    /// The graph with the mean and the variance that each group normalisation takes as outputs too.
    ///
    /// - Throws: ``GraphError`` where the graph does not verify.
    public func measuringGroupStatistics() throws -> Graph {
        var measured: [(String, Tensor)] = []
        func statistics() -> [(String, Tensor)] { measured }
        return try rewritten(adding: statistics) { operation, inputs in
            guard let norm = operation.groupNorm else { return nil }
            let names = Self.statisticsNames(ofNorm: measured.count / 2)
            let x = inputs[0]
            let grouped = reshape(x, [1, norm.groups, x.shape.count / norm.groups])
            let average = mean(grouped, axes: [2])
            let centered = grouped - average
            measured.append((names.mean, average))
            measured.append((names.variance, mean(centered * centered, axes: [2])))
            return nil
        }
    }

    /// The graph with the mean and the variance of each group normalisation given as inputs, for one picture: a part of a
    /// picture is normalised as the whole.
    ///
    /// - Throws: ``GraphError`` where the graph does not verify.
    public func takingGroupStatistics() throws -> Graph {
        var index = 0
        return try rewritten { operation, inputs in
            guard let norm = operation.groupNorm else { return nil }
            let (x, scale, shift) = (inputs[0], inputs[1], inputs[2])
            let (channels, builder) = (x.size(1), inputs[0].builder)
            let names = Self.statisticsNames(ofNorm: index)
            index += 1
            let average = builder.input(names.mean, [1, norm.groups, 1])
            let variance = builder.input(names.variance, [1, norm.groups, 1])
            // A group's numbers, to each of its channels.
            let perChannel: Shape = [1, norm.groups, channels / norm.groups]
            let factor = reshape(scale, perChannel) / squareRoot(variance + norm.epsilon)
            let offset = reshape(shift, perChannel) - average * factor
            let all: Shape = [1, channels, 1, 1]
            return x * reshape(factor, all) + reshape(offset, all)
        }
    }

    /// Whether each value of a node depends on the cells around it alone, however large the picture is, once group
    /// normalisations are given their statistics. What is computed from weights alone is.
    public var isLocal: [Bool] {
        var isFixed = [Bool](repeating: false, count: nodes.count)
        return nodes.enumerated().map { index, node in
            isFixed[index] =
                node.operation.isStored || !node.inputs.isEmpty && node.inputs.allSatisfy { isFixed[$0] }
            return isFixed[index] || node.operation.isLocal
        }
    }
}

extension Operation {
    fileprivate var groupNorm: GroupNorm? {
        if case .composite(let composite) = self { composite as? GroupNorm } else { nil }
    }

    fileprivate var isLocal: Bool {
        switch self {
        case .primitive(.convolution), .primitive(.upsampleNearest), .primitive(.unary), .primitive(.binary),
            .primitive(.input), .primitive(.concatenate(axis: 1)):
            true
        case .primitive: false
        case .composite(let composite):
            composite is SiLU || composite is GELU || composite is QuickGELU || composite is GroupNorm
        }
    }
}
