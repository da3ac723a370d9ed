import TensorGraph

/// A function of one number, by its number in `Shaders/functions.glsl`.
enum Function: Int32, Sendable {
    case identity = 0
    case exponential, squareRoot, sine, cosine, sigmoid, hyperbolicTangent, errorFunction, round
    case silu, gelu, quickGELU

    init(_ unary: Unary) {
        self =
            switch unary {
            case .exponential: .exponential
            case .squareRoot: .squareRoot
            case .sine: .sine
            case .cosine: .cosine
            case .sigmoid: .sigmoid
            case .hyperbolicTangent: .hyperbolicTangent
            case .errorFunction: .errorFunction
            case .round: .round
            }
    }

    /// The function that a composite operation applies to each element; nil for one that does more.
    init?(_ composite: any CompositeOperation) {
        switch composite {
        case is SiLU: self = .silu
        case is GELU: self = .gelu
        case is QuickGELU: self = .quickGELU
        default: return nil
        }
    }
}

extension Binary {
    /// Its number in `Shaders/binary.comp`.
    var number: Int32 {
        switch self {
        case .add: 0
        case .subtract: 1
        case .multiply: 2
        case .divide: 3
        case .maximum: 4
        case .minimum: 5
        }
    }
}
