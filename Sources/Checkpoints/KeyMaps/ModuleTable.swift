/// An exact table from the names that another program gives weights to the names they have here.
///
/// It lists modules, which are whole parts of names between dots; a name is looked up by the longest module that it is
/// in, and by its layer in that module. Nothing is replaced inside of a part, and a name that the table does not have
/// has no other name.
public struct ModuleTable: Sendable {
    /// The layers of a kind of module: their names in the other program, and here.
    public typealias Layers = [String: String]

    private struct Module {
        let path: String
        let layers: Layers?
        let hasMatrices: Bool
    }

    private var modules: [String: Module] = [:]

    public init() {}

    /// Adds a module.
    ///
    /// - Parameters:
    ///   - theirs: Its path in the other program; empty for the root.
    ///   - ours: Its path here.
    ///   - layers: The names of its layers, where they differ; nil where all names within are the same.
    ///   - hasMatrices: Whether its 1×1 convolutions there are matrices here.
    public mutating func add(
        _ theirs: String, _ ours: String, layers: Layers? = nil, hasMatrices: Bool = false
    ) {
        modules[theirs] = Module(path: ours, layers: layers, hasMatrices: hasMatrices)
    }

    /// The name here of a weight of the other program's; nil for one that is not in the table.
    public func name(of theirs: String) -> String? { place(of: theirs)?.name }

    /// The same, and whether a 1×1 convolution there is a matrix here.
    public func place(of theirs: String) -> (name: String, isMatrix: Bool)? {
        var end = theirs.endIndex
        while let dot = theirs[..<end].lastIndex(of: ".") {
            end = dot
            guard let module = modules[String(theirs[..<dot])] else { continue }
            var rest = String(theirs[theirs.index(after: dot)...])
            if let layers = module.layers {
                guard let last = rest.lastIndex(of: "."), let layer = layers[String(rest[..<last])] else {
                    return nil
                }
                rest = layer + rest[last...]
            }
            return (module.path.isEmpty ? rest : module.path + "." + rest, module.hasMatrices)
        }
        return nil
    }

    /// The same table from here to there.
    public var inverted: ModuleTable {
        var table = ModuleTable()
        for (theirs, module) in modules {
            table.add(
                module.path, theirs,
                layers: module.layers.map { Layers(uniqueKeysWithValues: $0.map { ($0.value, $0.key) }) },
                hasMatrices: module.hasMatrices)
        }
        return table
    }
}

extension WeightStorage {
    /// The weights whose names begin with a prefix, under their names without it.
    public func weights(under prefix: String) -> WeightView {
        var view = view { $0.hasPrefix(prefix) ? (String($0.dropFirst(prefix.count)), false) : nil }
        view.baseName = { prefix + $0 }
        return view
    }

    /// The same weights under the names of a table; those that the table does not have keep theirs, so that what reads
    /// the view can name them.
    public func translated(_ table: ModuleTable) -> WeightView {
        var view = view { table.place(of: $0) ?? ($0, false) }
        view.baseName = { [inverted = table.inverted] in inverted.name(of: $0) ?? $0 }
        return view
    }

    private func view(_ place: (String) -> (name: String, isMatrix: Bool)?) -> WeightView {
        var sources: [String: WeightView.Source] = [:]
        for name in names.sorted() {
            guard let place = place(name) else { continue }
            // Of two that would have one name, the first has it, and the other keeps one that nothing reads.
            let newName = sources[place.name] == nil ? place.name : name
            sources[newName] = .init(name, dropsUnitAxes: place.isMatrix)
        }
        return WeightView(self, sources: sources)
    }
}
