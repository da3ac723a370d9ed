/// Why a network could not be built from a checkpoint: everything that does not fit, at once.
public struct GraphError: Error, Sendable, CustomStringConvertible {
    public enum Problem: Sendable, Hashable {
        case missing(weight: String, expected: Shape)
        case wrongShape(weight: String, expected: Shape, actual: Shape)
        /// A weight's numbers are integers that no scale belongs to.
        case wrongType(weight: String, actual: ElementType)
        case unused(weight: String, actual: Shape)
        case mismatch(layer: String, String)
    }

    public let graph: String
    /// Where the weights were to come from.
    public let origin: String
    public let problems: [Problem]

    /// The number of problems that the description shows.
    static let shown = 5

    public var description: String {
        let lines = problems.prefix(Self.shown).map { "  " + $0.description }
        let more = problems.count > Self.shown ? ["  and \(problems.count - Self.shown) more"] : []
        let head =
            "\(origin): the weights do not fit the network \"\(graph)\" "
            + "(\(problems.count) problem\(problems.count == 1 ? "" : "s"))"
        return ([head] + lines + more).joined(separator: "\n")
    }
}

extension GraphError.Problem {
    /// The same with another name of the weight.
    func renamed(_ newName: (String) -> String) -> Self {
        switch self {
        case .missing(let weight, let expected): .missing(weight: newName(weight), expected: expected)
        case .wrongShape(let weight, let expected, let actual):
            .wrongShape(weight: newName(weight), expected: expected, actual: actual)
        case .wrongType(let weight, let actual): .wrongType(weight: newName(weight), actual: actual)
        case .unused(let weight, let actual): .unused(weight: newName(weight), actual: actual)
        case .mismatch: self
        }
    }
}

extension GraphError.Problem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .missing(let weight, let expected): "\(weight): missing, expected shape \(expected)"
        case .wrongShape(let weight, let expected, let actual):
            "\(weight): expected shape \(expected), has \(actual)"
        case .wrongType(let weight, let actual):
            "\(weight): holds \(actual), where floating-point weights belong"
        case .unused(let weight, let actual): "\(weight): not part of the network, has shape \(actual)"
        case .mismatch(let layer, let reason): (layer.isEmpty ? "" : "\(layer): ") + reason
        }
    }
}

/// Why an operation cannot take its inputs.
public struct ShapeError: Error, Sendable {
    public let reason: String
    public init(_ reason: String) { self.reason = reason }
}
