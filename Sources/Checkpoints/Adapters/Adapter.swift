import Foundation
import TensorGraph

/// A small file that changes a model's weights: LoRA (also of convolutions, LoCon), LoHa, LoKr, DoRA or whole
/// differences, in the layouts of kohya, LyCORIS, OneTrainer, PEFT and diffusers.
public struct Adapter: Sendable {
    /// Its file.
    public let path: String
    /// What its trainer wrote about it.
    public let metadata: [String: String]
    private let summary: AdapterSummary?
    private let changes: [Layer: [AdapterKey.Part: Stored]]

    private struct Layer: Hashable {
        let network: AdapterKey.Network?
        /// Its path with underscores for dots.
        let name: String
    }

    private struct Stored {
        let name: String
        let shape: Shape
        let values: [Float]
    }

    /// Reads the whole file.
    ///
    /// - Throws: ``FileError``, ``SafetensorsError``, ``TorchError``, ``AdapterError``.
    public init(contentsOf url: URL) throws {
        let checkpoint = try Checkpoint(contentsOf: url)
        let mapped = try checkpoint.map(additionalBytes: 0)
        var changes: [Layer: [AdapterKey.Part: Stored]] = [:]
        for name in checkpoint.names.sorted() {
            guard let key = AdapterKey(name), let entry = checkpoint.entry(named: name),
                let values = mapped.floats(of: name, entry)
            else { continue }
            guard values.allSatisfy(\.isFinite) else {
                throw AdapterError.notFinite(path: checkpoint.origin, tensor: name)
            }
            guard !values.isEmpty else {
                throw AdapterError.incomplete(
                    path: checkpoint.origin, layer: key.layer, reason: "\(name.quoted) has no numbers")
            }
            changes[Layer(network: key.network, name: key.layer), default: [:]][key.part] =
                Stored(name: name, shape: entry.shape, values: values)
        }
        try mapped.validate()
        guard !changes.isEmpty else {
            throw AdapterError.notAnAdapter(path: checkpoint.origin, names: checkpoint.names.sorted())
        }
        path = checkpoint.origin
        metadata = checkpoint.metadata
        summary = AdapterSummary(checkpoint)
        self.changes = changes
    }

    /// What the adapter changes of a model's networks.
    ///
    /// - Parameter networks: The weights of each network, with other names that its layers are known by.
    /// - Returns: The updates of each network's weights by their names, and the layers of the adapter that no network has.
    /// - Throws: ``AdapterError`` where none has any, or a matrix does not fit its weight.
    public func updates(_ networks: AdaptedNetworks) throws -> AdapterUpdates {
        var updates = AdapterUpdates()
        for (layer, parts) in changes.sorted(by: { $0.key.name < $1.key.name }) {
            guard let target = networks.target(layer.network, layer.name) else {
                updates.unknownLayers.append(layer.name)
                continue
            }
            for (kind, update) in try self.updates(of: layer.name, parts, target) {
                updates.networks[target.network, default: [:]]["\(target.layer).\(kind)"] = update
            }
        }
        guard !updates.networks.isEmpty else {
            throw AdapterError.otherFamily(
                path: path, family: summary?.family, layers: updates.unknownLayers, count: changes.count)
        }
        return updates
    }

    /// The updates of a layer's `weight` and `bias`.
    private func updates(
        of layer: String, _ parts: [AdapterKey.Part: Stored], _ target: AdaptedNetworks.Target
    ) throws -> [String: AdapterUpdate] {
        func matrix(_ part: AdapterKey.Part) throws -> Matrix {
            guard let stored = parts[part] else {
                throw AdapterError.incomplete(
                    path: path, layer: layer, reason: "a part of its change, \(part), is not in the file")
            }
            return Matrix(stored.shape, stored.values)
        }
        var updates: [String: AdapterUpdate] = [:]
        if let change = parts[.biasChange], let shape = target.shapes["bias"] {
            updates["bias"] = try checked(.init(form: .whole(change.values)), layer, shape)
        }
        let kernel = target.shapes["weight"].map { $0.dimensions.dropFirst(2).reduce(1, *) } ?? 1
        // What is made of small matrices is not larger than the weight that it is for.
        let count = target.shapes["weight"]?.checkedCount ?? 0
        let columns = count / max(1, target.shapes["weight"].map { $0.rank > 0 ? $0[0] : 1 } ?? 1)
        var rank: Int?
        var form: AdapterUpdate.Form?
        if parts[.up] != nil || parts[.down] != nil {
            var down = try matrix(.down)
            let up = try matrix(.up)
            rank = down.rows
            if let core = parts[.middle] { down = try product(core, down, layer, columns: columns) }
            form = .lowRank(up: up, down: down)
        } else if parts[.hadamard1Up] != nil {
            var (up1, down1) = (try matrix(.hadamard1Up), try matrix(.hadamard1Down))
            var (up2, down2) = (try matrix(.hadamard2Up), try matrix(.hadamard2Down))
            rank = down1.rows
            // With cores, the outer matrices are stored the other way round.
            if let core = parts[.hadamard1Core] {
                (up1, down1) = (up1.transposed, try product(core, down1, layer, columns: columns))
            }
            if let core = parts[.hadamard2Core] {
                (up2, down2) = (up2.transposed, try product(core, down2, layer, columns: columns))
            }
            form = .hadamard(up1: up1, down1: down1, up2: up2, down2: down2)
        } else if parts[.kronecker1] != nil || parts[.kronecker1Up] != nil {
            var first: Matrix
            if parts[.kronecker1] != nil {
                first = try matrix(.kronecker1)
            } else {
                let down = try matrix(.kronecker1Down)
                rank = down.rows
                first = try product(try matrix(.kronecker1Up), down, layer, atMost: count)
            }
            var second: Matrix
            if parts[.kronecker2] != nil {
                second = try matrix(.kronecker2)
            } else {
                var (up, down) = (try matrix(.kronecker2Up), try matrix(.kronecker2Down))
                rank = down.rows
                if let core = parts[.kronecker2Core] {
                    (up, down) = (up.transposed, try product(core, down, layer, columns: nil, atMost: count))
                }
                second = try product(up, down, layer, atMost: count)
            }
            let cells = second.columns.isMultiple(of: kernel) ? kernel : 1
            first = Matrix(rows: first.rows, columns: first.columns, values: first.values)
            second = Matrix(rows: second.rows, columns: second.columns, values: second.values)
            form = .kronecker(first: first, second: second, kernel: cells)
        } else if let change = parts[.weightChange] {
            form = .whole(change.values)
        }
        guard let form else {
            if !updates.isEmpty { return updates }
            throw AdapterError.incomplete(
                path: path, layer: layer, reason: "there is nothing that its weight is changed by")
        }
        guard let shape = target.shapes["weight"] else {
            throw AdapterError.incomplete(path: path, layer: layer, reason: "the model's layer has no weight")
        }
        var update = AdapterUpdate(form: form)
        if let alpha = parts[.alpha]?.values.first, let rank, rank > 0 { update.scale = alpha / Float(rank) }
        update.magnitude = parts[.magnitude]?.values
        updates["weight"] = try checked(update, layer, shape)
        return updates
    }

    /// A matrix product, of matrices from a file.
    ///
    /// - Parameter limit: How many numbers it may have.
    private func product(_ left: Matrix, _ right: Matrix, _ layer: String, atMost limit: Int)
        throws(AdapterError) -> Matrix
    {
        guard left.columns == right.rows else {
            throw .incomplete(
                path: path, layer: layer,
                reason:
                    "matrices of \(left.rows)×\(left.columns) and \(right.rows)×\(right.columns) do not fit "
                    + "each other")
        }
        try check(left.rows, right.columns, layer, limit)
        return left.times(right)
    }

    /// Throws where a matrix would have more numbers than it may.
    private func check(_ rows: Int, _ columns: Int, _ layer: String, _ limit: Int) throws(AdapterError) {
        let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
        guard !overflow, count <= limit else {
            throw .incomplete(
                path: path, layer: layer,
                reason:
                    "its parts make a matrix of \(rows)×\(columns); at most \(limit) numbers fit the weight")
        }
    }

    /// More rows than any adapter's core has.
    private static let rankLimit = 4096

    /// A Tucker core `[r, r, height, width]` with the matrix of its inputs, `[r, inputs]`: `[r, inputs · height · width]`.
    ///
    /// - Parameters:
    ///   - columns: How many there have to be of them; nil for any number.
    ///   - limit: How many numbers it may have; nil for as many as such rows have.
    private func product(
        _ core: Stored, _ inputs: Matrix, _ layer: String, columns: Int?, atMost limit: Int? = nil
    ) throws(AdapterError) -> Matrix {
        let (outer, inner) = (
            core.shape.rank > 1 ? core.shape[0] : 0, core.shape.rank > 1 ? core.shape[1] : 0
        )
        guard inner == inputs.rows, (1...Self.rankLimit).contains(outer), inner > 0 else {
            throw .incomplete(
                path: path, layer: layer, reason: "a core of \(core.shape) does not fit \(inputs.rows) rows")
        }
        let cells = core.values.count / (outer * inner)
        let (width, overflow) = inputs.columns.multipliedReportingOverflow(by: cells)
        guard !overflow, columns ?? width == width else {
            throw .incomplete(
                path: path, layer: layer,
                reason:
                    "a core of \(core.shape) and \(inputs.columns) inputs do not make \(columns ?? 0) columns"
            )
        }
        if let limit { try check(outer, width, layer, limit) }
        var values = [Float](repeating: 0, count: outer * inputs.columns * cells)
        for row in 0..<outer {
            for middle in 0..<inner {
                for column in 0..<inputs.columns {
                    let input = inputs.values[middle * inputs.columns + column]
                    for cell in 0..<cells {
                        values[(row * inputs.columns + column) * cells + cell] +=
                            input * core.values[(row * inner + middle) * cells + cell]
                    }
                }
            }
        }
        return Matrix(rows: outer, columns: inputs.columns * cells, values: values)
    }

    /// An update that fits its weight.
    private func checked(_ update: AdapterUpdate, _ layer: String, _ weight: Shape) throws(AdapterError)
        -> AdapterUpdate
    {
        let count = weight.checkedCount ?? 0
        let rows = weight.rank > 0 ? weight[0] : 1
        let columns = rows > 0 ? count / rows : 0
        func mismatch(_ shape: (rows: Int, columns: Int)) -> AdapterError {
            .wrongShape(path: path, layer: layer, rows: shape.rows, columns: shape.columns, weight: weight)
        }
        let inner: (Int, Int)? =
            switch update.form {
            case .lowRank(let up, let down): (up.columns, down.rows)
            case .hadamard(let up1, let down1, let up2, let down2)
            where up1.rows == up2.rows && down1.columns == down2.columns && up1.columns == down1.rows:
                (up2.columns, down2.rows)
            case .hadamard: (0, 1)
            case .kronecker, .whole: nil
            }
        if let inner, inner.0 != inner.1 {
            throw .incomplete(
                path: path, layer: layer, reason: "its matrices have ranks of \(inner.0) and \(inner.1)")
        }
        let shape = update.shape
        if case .whole = update.form {
            guard shape.columns == count else { throw mismatch(shape) }
        } else if shape != (rows, columns) {
            throw mismatch(shape)
        }
        if let magnitude = update.magnitude {
            let inputs = weight.rank > 1 ? weight[1] : 1
            guard magnitude.count == rows || magnitude.count == inputs else {
                throw .incomplete(
                    path: path, layer: layer, reason: "it has \(magnitude.count) magnitudes for \(weight)")
            }
        }
        return update
    }
}

/// What an adapter changes of a model.
public struct AdapterUpdates: Sendable {
    /// By network and weight.
    var networks: [AdapterKey.Network: [String: AdapterUpdate]] = [:]
    /// The adapter's layers that the model does not have.
    public internal(set) var unknownLayers: [String] = []
}

/// The networks of a model that adapters change, and the names by which their layers are known.
public struct AdaptedNetworks: Sendable {
    struct Target {
        let network: AdapterKey.Network
        let layer: String
        /// Of the layer's weights, by their last names.
        let shapes: [String: Shape]
    }

    private var layers: [AdapterKey.Network: [String: Target]] = [:]

    /// - Parameters:
    ///   - unet: The U-Net's weights.
    ///   - unetNames: Another program's names for its layers.
    ///   - textEncoders: Their weights.
    public init(
        unet: any WeightCatalog, unetNames: ModuleTable, textEncoders: [any WeightCatalog]
    ) {
        layers[.unet] = Self.layers(unet, .unet) { layer in
            let theirs = unetNames.name(of: layer + ".weight").map { String($0.dropLast(".weight".count)) }
            return [layer] + (theirs.map { [$0] } ?? [])
        }
        for (index, encoder) in textEncoders.enumerated() {
            layers[.textEncoder(index)] = Self.layers(encoder, .textEncoder(index)) { layer in
                [layer.hasPrefix("text_model.") || layer == "text_projection" ? layer : "text_model." + layer]
            }
        }
    }

    /// - Parameter names: All names of a layer.
    private static func layers(
        _ catalog: any WeightCatalog, _ network: AdapterKey.Network, names: (String) -> [String]
    ) -> [String: Target] {
        var shapes: [String: [String: Shape]] = [:]
        for name in catalog.names {
            guard let dot = name.lastIndex(of: "."), let entry = catalog.entry(named: name) else { continue }
            shapes[String(name[..<dot]), default: [:]][String(name[name.index(after: dot)...])] = entry.shape
        }
        var targets: [String: Target] = [:]
        for (layer, shapes) in shapes {
            for name in names(layer) {
                targets[name.split(separator: ".").joined(separator: "_")] =
                    Target(network: network, layer: layer, shapes: shapes)
            }
        }
        return targets
    }

    /// The layer of a name, in its network or, where none is said, in any.
    func target(_ network: AdapterKey.Network?, _ layer: String) -> Target? {
        if let network { return layers[network]?[layer] }
        return layers[.unet]?[layer] ?? layers[.textEncoder(0)]?[layer] ?? layers[.textEncoder(1)]?[layer]
    }
}
