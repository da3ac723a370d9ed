import TensorGraph

/// Which modules a catalogue's names are in.
struct Modules {
    private var paths: Set<String> = []

    init(_ catalog: any WeightCatalog) {
        for name in catalog.names {
            var end = name.endIndex
            while let dot = name[..<end].lastIndex(of: ".") {
                paths.insert(String(name[..<dot]))
                end = dot
            }
        }
    }

    func has(_ path: String) -> Bool { paths.contains(path) }

    /// How many modules `path.0`, `path.1`, … there are.
    func count(_ path: String) -> Int {
        var count = 0
        while has("\(path).\(count)") { count += 1 }
        return count
    }
}
