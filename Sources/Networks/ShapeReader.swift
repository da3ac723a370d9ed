import TensorGraph

/// What a catalogue's shapes say of a network's sizes.
struct ShapeReader {
    private let catalog: any WeightCatalog
    private let modules: Modules
    /// More levels, layers or blocks than any network has.
    private static let limit = 1000

    init(_ catalog: any WeightCatalog) {
        self.catalog = catalog
        modules = Modules(catalog)
    }

    func has(_ name: String) -> Bool { catalog.entry(named: name) != nil }

    func shape(_ name: String) -> Shape? { catalog.entry(named: name)?.shape }

    /// The size of an axis; nil where there is no such weight or axis.
    func size(_ name: String, _ axis: Int) -> Int? {
        shape(name).flatMap { axis < $0.rank ? $0[axis] : nil }
    }

    /// Whether there is any weight in a module.
    func has(module path: String) -> Bool { modules.has(path) }

    /// How many modules `path.0`, `path.1`, … there are, whatever weights each lacks.
    func count(modules path: String) -> Int { min(modules.count(path), Self.limit) }

    /// The channels that a residual block gives, as most of its weights have them: some may be missing or of another shape.
    func channels(ofResNet path: String) -> Int? {
        mostCommonSize(
            [
                ("conv1.weight", 0), ("conv1.bias", 0), ("norm2.weight", 0), ("norm2.bias", 0),
                ("conv2.weight", 0), ("conv2.weight", 1), ("conv2.bias", 0),
            ].map { ("\(path).\($0)", $1) })
    }

    /// The size that most of these axes have, the smaller one where two are as frequent; nil where there is none of them.
    func mostCommonSize(_ axes: [(name: String, axis: Int)]) -> Int? {
        let counts = Dictionary(
            axes.compactMap { size($0.name, $0.axis) }.map { ($0, 1) }, uniquingKeysWith: +)
        return counts.max { ($0.value, -$0.key) < ($1.value, -$1.key) }?.key
    }
}
