import EngineInterface
import TensorGraph

/// The times of a graph's products with each way to divide them, on the device and with the weights that they will have.
struct ProductMeasurement {
    private let graph: Graph
    private let device: VulkanDevice
    private let tuning: Tuning
    /// Where each weight is, or something as large.
    private let weights: [UInt64]

    /// How long one product is repeated for one time, in seconds.
    private static let duration = 0.002
    /// How long a product takes at most that is repeated, in seconds: drivers take a device for lost that is at work on one
    /// submission for some.
    private static let longest = 0.5
    /// How long an idle device takes until its clock is as fast as it gets.
    private static let warmUp = Duration.milliseconds(400)

    init(of graph: Graph, weights: [UInt64], on device: VulkanDevice, tuning: Tuning) {
        self.graph = graph
        self.weights = weights
        self.device = device
        self.tuning = tuning
    }

    /// The fastest way for each product that none is known for.
    ///
    /// - Throws: ``EngineError``.
    func fastest(for products: [ProductDivision]) throws -> [ProductShape: ProductChoice] {
        guard let matrices = tuning.matrices else { return [:] }
        let shapes = Set(products.map(\.shape)).filter { tuning.products[$0] == nil }
        var shapesByCandidate: [ProductChoice: Set<ProductShape>] = [:]
        for shape in shapes {
            for candidate in tuning.candidates(for: shape, matrices) {
                shapesByCandidate[candidate, default: []].insert(shape)
            }
        }
        // One lowering a candidate has the calls of all products that it is for.
        let lowered = try shapesByCandidate.map { candidate, shapes in
            var tuning = tuning
            tuning.trial = (candidate, shapes)
            let lowering = try Lowering(graph, isHalf: true, tuning: tuning)
            return (
                candidate, shapes, lowering, MemoryPlan(lowering.calls, byteCounts: lowering.valueByteCounts)
            )
        }
        func kernels(_ lowering: Lowering, _ shapes: Set<ProductShape>) -> Set<Kernel> {
            Set(
                lowering.calls.filter { $0.division.map { shapes.contains($0.shape) } ?? false }
                    .map(\.kernel))
        }
        let tiles = shapesByCandidate.filter { $1.contains { !$0.isAttention } }.keys.map(\.tile)
        let checks = Dictionary(
            uniqueKeysWithValues: Set(tiles).compactMap { tile in
                MatrixCheck(tile, tuning).map { (tile, $0) }
            })
        var wanted = Set(checks.values.map(\.kernel))
        for (_, shapes, lowering, _) in lowered { wanted.formUnion(kernels(lowering, shapes)) }
        // What the driver's compiler refuses is no candidate, nor what it makes something else of.
        let refused = device.refusals(of: wanted, graph: graph.name)
        let wrong = checks.filter { !$1.passes(on: device) }
        let lowerings = lowered.filter { candidate, shapes, lowering, _ in
            wrong[candidate.tile] == nil && kernels(lowering, shapes).allSatisfy { refused[$0] == nil }
        }
        guard let byteCount = lowerings.map(\.3.byteCount).max() else { return [:] }
        let memory = try DeviceBuffer(byteCount: byteCount, in: .device, of: device, graph: graph.name)
        let commands = try Commands(device, graph: graph.name)
        var best: [ProductShape: (seconds: Double, choice: ProductChoice)] = [:]
        var isWarm = false
        for (candidate, shapes, lowering, plan) in lowerings {
            let occurrences = lowering.calls.products(of: shapes, divided: candidate)
            for (shape, calls) in occurrences {
                func address(_ view: View) -> UInt64 {
                    let size = lowering.byteCount(of: view.element)
                    return switch view.storage {
                    case .value(let index): memory.address + UInt64(plan.offsets[index] + view.offset * size)
                    case .weight(let index): weights[index] + UInt64(view.offset * size)
                    case .input, .result, .absent: 0
                    }
                }
                if !isWarm {
                    let start = ContinuousClock.now
                    while start.duration(to: .now) < Self.warmUp {
                        _ = try self.seconds(calls, commands, at: address)
                    }
                    isWarm = true
                }
                let seconds = try seconds(calls, commands, at: address)
                if seconds < best[shape]?.seconds ?? .infinity { best[shape] = (seconds, candidate) }
            }
        }
        return best.mapValues(\.choice)
    }

    /// The time of one product, each of which is a few calls, in turn.
    private func seconds(
        _ products: [[KernelCall]], _ commands: Commands, at address: (View) -> UInt64
    ) throws(EngineError) -> Double {
        let clock = ContinuousClock()
        func time(_ count: Int) throws(EngineError) -> Double {
            try commands.record(isUsedOnce: false) { () throws(EngineError) in
                for index in 0..<count {
                    for call in products[index % products.count] {
                        commands.barrier()
                        try commands.dispatch(call, at: call.operands.map { address($0.view) })
                    }
                }
            }
            let start = clock.now
            try commands.start()
            try commands.finish()
            return start.duration(to: clock.now) / .seconds(1)
        }
        let first = try time(1)
        if first > Self.longest { return first }
        let one = try time(2) / 2
        let count = max(2, min(256, Int(Self.duration / one)))
        return try min(time(count), time(count)) / Double(count)
    }
}

extension [KernelCall] {
    /// The calls of each product that is divided in a way.
    fileprivate func products(
        of shapes: Set<ProductShape>, divided choice: ProductChoice
    ) -> [ProductShape: [[KernelCall]]] {
        var found: [ProductShape: [[KernelCall]]] = [:]
        for call in self {
            guard let product = call.division, product.choice == choice, shapes.contains(product.shape) else {
                continue
            }
            if call.kernel.shader == .productParts, let last = found[product.shape]?.indices.last {
                found[product.shape]?[last].append(call)
            } else {
                found[product.shape, default: []].append([call])
            }
        }
        return found
    }
}
