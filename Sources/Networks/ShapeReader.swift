import TensorGraph

/// What a catalogue's shapes say of a network's sizes.
struct ShapeReader {
    private let catalog: any WeightCatalog
    /// More levels, layers or blocks than any network has.
    private static let limit = 1000

    init(_ catalog: any WeightCatalog) { self.catalog = catalog }

    func has(_ name: String) -> Bool { catalog.entry(named: name) != nil }

    func shape(_ name: String) -> Shape? { catalog.entry(named: name)?.shape }

    /// The size of an axis; nil where there is no such weight or axis.
    func size(_ name: String, _ axis: Int) -> Int? {
        shape(name).flatMap { axis < $0.rank ? $0[axis] : nil }
    }

    /// How many there are of weights that are numbered from 0.
    func count(_ name: (Int) -> String) -> Int {
        (0..<Self.limit).first { !has(name($0)) } ?? Self.limit
    }
}
