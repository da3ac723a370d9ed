import EngineInterface
import ReferenceEngine
import TensorGraph

/// Where an engine's result is not the reference engine's.
public struct ConformanceFailure: Error, Sendable, CustomStringConvertible {
    public let name: String
    public let reason: String
    public var description: String { "\(name): \(reason)" }
}

/// How far results may be from the reference.
public struct Tolerance: Sendable, Hashable {
    /// Beside this times the greatest value of the result.
    public let relative: Float
    public let absolute: Float
    /// The greatest number: what is beyond it may be infinite.
    public let greatest: Float

    public init(relative: Float, absolute: Float, greatest: Float = .greatestFiniteMagnitude) {
        self.relative = relative
        self.absolute = absolute
        self.greatest = greatest
    }

    /// What sums of some hundred products may lose in a precision.
    public init(_ precision: Precision) {
        switch precision {
        case .automatic, .float32: self.init(relative: 2e-5, absolute: 1e-5)
        case .float16: self.init(relative: 5e-3, absolute: 5e-3, greatest: 65504)
        case .bfloat16, .int8: self.init(relative: 4e-2, absolute: 2e-2)
        }
    }
}

/// Runs cases on an engine, as they are and decomposed, and compares each with the reference engine.
///
/// - Returns: What differs: nothing, for an engine that conforms.
public func conformanceFailures(
    of engine: any Engine, precision: Precision = .float32, cases: [ConformanceCase]
) async -> [ConformanceFailure] {
    var failures: [ConformanceFailure] = []
    for one in cases.map({ $0.rounded(to: precision) }) {
        do {
            let expected = try await run(one.graph, of: one, on: ReferenceEngine(), .float32)
            failures += differences(
                try await run(one.graph, of: one, on: engine, precision), expected, one.name, precision)
            // A composite that the engine has itself must mean what it decomposes to.
            failures += differences(
                try await run(one.graph.decomposed(), of: one, on: engine, precision), expected,
                "\(one.name), decomposed", precision)
        } catch {
            failures.append(ConformanceFailure(name: one.name, reason: "\(error)"))
        }
    }
    return failures
}

private func run(
    _ graph: Graph, of one: ConformanceCase, on engine: any Engine, _ precision: Precision
) async throws -> [String: HostTensor] {
    try await engine.compile(graph, weights: one.weights, precision: precision).run(one.inputs)
}

private func differences(
    _ actual: [String: HostTensor], _ expected: [String: HostTensor], _ name: String, _ precision: Precision
) -> [ConformanceFailure] {
    guard actual.keys.sorted() == expected.keys.sorted() else {
        return [
            ConformanceFailure(
                name: name, reason: "outputs \(actual.keys.sorted()), not \(expected.keys.sorted())")
        ]
    }
    return expected.sorted { $0.key < $1.key }.compactMap { key, wanted in
        guard let given = actual[key] else { return nil }
        return difference(given, wanted, Tolerance(precision)).map {
            ConformanceFailure(name: name, reason: "\(key)\($0)")
        }
    }
}

/// The first element that is too far from what it should be, as text.
func difference(_ actual: HostTensor, _ expected: HostTensor, _ tolerance: Tolerance) -> String? {
    guard actual.shape == expected.shape, actual.elementType == expected.elementType else {
        return " is \(actual.elementType)\(actual.shape), not \(expected.elementType)\(expected.shape)"
    }
    let wanted = expected.floats
    let greatest = wanted.filter { $0.magnitude <= tolerance.greatest }.map(\.magnitude).max() ?? 0
    let allowed = tolerance.absolute + tolerance.relative * greatest
    for (index, pair) in zip(actual.floats, wanted).enumerated() {
        let (given, wanted) = pair
        let isRight =
            given == wanted || (given.isNaN && wanted.isNaN) || (given - wanted).magnitude <= allowed
            || wanted.magnitude > tolerance.greatest && given.isInfinite && given.sign == wanted.sign
        if !isRight { return "[\(index)] is \(given), not \(wanted)" }
    }
    return nil
}
