import TensorGraph

/// What a file has for one layer, and the changes of its weights that follow from it.
struct AdapterLayer {
    /// The adapter's file.
    let file: String
    /// The layer's path with underscores for dots.
    let name: String
    let parts: [AdapterKey.Part: AdapterTensor]
    /// What PEFT says of the scale, where the file does not say it itself.
    let configuration: PEFTConfiguration?
    /// How many ranks of matrices without a core between them are used; nil for all.
    var rankLimit: Int?

    /// The updates of the layer's `weight` and `bias`.
    ///
    /// - Parameter shapes: Those of the model's layer.
    /// - Throws: ``AdapterError`` where they do not fit.
    func updates(of shapes: [String: Shape]) throws -> [String: AdapterUpdate] {
        var updates: [String: AdapterUpdate] = [:]
        let change = try weightChange(of: shapes["weight"] ?? [])
        let scale = try change.map { try factor(rank: $0.rank, isWhole: $0.form.isWhole) } ?? 1
        if let change = parts[.biasChange], let shape = shapes["bias"] {
            updates["bias"] = try checked(.init(form: .whole(change.values)), shape)
        } else if let change = parts[.upBias], let shape = shapes["bias"] {
            updates["bias"] = try checked(.init(form: .whole(change.values), scale: scale), shape)
        }
        guard let change else {
            if !updates.isEmpty { return updates }
            throw incomplete("there is nothing that its weight is changed by")
        }
        guard let shape = shapes["weight"] else { throw incomplete("the model's layer has no weight") }
        var update = AdapterUpdate(form: change.form, scale: scale)
        if let tensor = parts[.outputMagnitude] ?? parts[.magnitude] {
            // PEFT has one magnitude for each output; LyCORIS' axis shows which it has them for.
            let isOfOutputs =
                parts[.outputMagnitude] != nil
                || tensor.shape.rank > 0 && tensor.shape[0] == shape.dimensions.first
            update.magnitude = AdapterUpdate.Magnitude(
                lengths: tensor.values, isOfOutputs: isOfOutputs)
        }
        updates["weight"] = try checked(update, shape)
        return updates
    }

    /// Throws where a matrix is missing that another one is multiplied by, or the two have other ranks, whatever the model's
    /// layer is.
    func checkParts() throws(AdapterError) {
        let needed: [AdapterKey.Part] =
            if parts[.up] != nil || parts[.down] != nil {
                [.up, .down]
            } else if parts[.hadamard1Up] != nil {
                [.hadamard1Down, .hadamard2Up, .hadamard2Down]
            } else if parts[.kronecker1] != nil || parts[.kronecker1Up] != nil {
                (parts[.kronecker1] == nil ? [.kronecker1Down] : [])
                    + (parts[.kronecker2] == nil ? [.kronecker2Up, .kronecker2Down] : [])
            } else {
                []
            }
        for part in needed { _ = try matrix(part) }
        if parts[.middle] == nil, parts[.up] != nil {
            let (up, down) = (try matrix(.up), try matrix(.down))
            guard up.columns == down.rows else { throw differentRanks(up.columns, down.rows) }
        }
    }

    /// What the change is multiplied by: alpha over the rank, as the file says it, or else PEFT's settings.
    private func factor(rank: Int?, isWhole: Bool) throws -> Float {
        if let tensor = parts[.alpha] {
            guard let alpha = tensor.values.first, tensor.values.count == 1 else {
                throw incomplete("its alpha is one number, and there are \(tensor.values.count)")
            }
            // LyCORIS takes no scale of matrices that are not products of smaller ones.
            return rank.map { $0 > 0 ? alpha / Float($0) : 1 } ?? 1
        }
        guard !isWhole, let path = parts.values.first?.path else { return 1 }
        return configuration?.scale(of: path, rank: rank) ?? 1
    }

    /// The form of the weight's change, and its rank where it has one; nil where there is no change.
    ///
    /// What is made of small matrices is not larger than the weight that it is for.
    private func weightChange(of weight: Shape) throws -> (form: AdapterUpdate.Form, rank: Int?)? {
        let count = weight.checkedCount ?? 0
        let columns = count / max(1, weight.dimensions.first ?? 1)
        if parts[.up] != nil || parts[.down] != nil {
            var down = try matrix(.down)
            var up = try matrix(.up)
            let rank = down.rows
            if let core = parts[.middle] {
                down = try product(core, down, columns: columns)
            } else if let rankLimit, up.columns == rank {
                (up, down) = (up.columns(upTo: rankLimit), down.rows(upTo: rankLimit))
            }
            return (.lowRank(up: up, down: down), rank)
        }
        if parts[.hadamard1Up] != nil {
            var (up1, down1) = (try matrix(.hadamard1Up), try matrix(.hadamard1Down))
            var (up2, down2) = (try matrix(.hadamard2Up), try matrix(.hadamard2Down))
            let rank = down1.rows
            // With cores, the outer matrices are stored the other way round.
            if let core = parts[.hadamard1Core] {
                (up1, down1) = (up1.transposed, try product(core, down1, columns: columns))
            }
            if let core = parts[.hadamard2Core] {
                (up2, down2) = (up2.transposed, try product(core, down2, columns: columns))
            }
            return (.hadamard(up1: up1, down1: down1, up2: up2, down2: down2), rank)
        }
        if parts[.kronecker1] != nil || parts[.kronecker1Up] != nil {
            return try kroneckerChange(kernel: weight.dimensions.dropFirst(2).reduce(1, *), atMost: count)
        }
        return parts[.weightChange].map { (.whole($0.values), nil) }
    }

    /// - Parameter limit: How many numbers the weight has.
    private func kroneckerChange(kernel: Int, atMost limit: Int) throws -> (
        form: AdapterUpdate.Form, rank: Int?
    ) {
        var rank: Int?
        let first: Matrix
        if parts[.kronecker1] != nil {
            first = try matrix(.kronecker1)
        } else {
            let down = try matrix(.kronecker1Down)
            rank = down.rows
            first = try product(try matrix(.kronecker1Up), down, atMost: limit)
        }
        let second: Matrix
        if parts[.kronecker2] != nil {
            second = try matrix(.kronecker2)
        } else {
            var (up, down) = (try matrix(.kronecker2Up), try matrix(.kronecker2Down))
            rank = down.rows
            if let core = parts[.kronecker2Core] {
                (up, down) = (up.transposed, try product(core, down, columns: nil, atMost: limit))
            }
            second = try product(up, down, atMost: limit)
        }
        let cells = second.columns.isMultiple(of: kernel) ? kernel : 1
        return (.kronecker(first: first, second: second, kernel: cells), rank)
    }

    private func matrix(_ part: AdapterKey.Part) throws(AdapterError) -> Matrix {
        guard let stored = parts[part] else {
            throw incomplete("a part of its change, \(part), is not in the file")
        }
        return Matrix(stored.shape, stored.values)
    }

    /// A matrix product, of matrices from a file.
    ///
    /// - Parameter limit: How many numbers it may have.
    private func product(_ left: Matrix, _ right: Matrix, atMost limit: Int) throws(AdapterError) -> Matrix {
        guard left.columns == right.rows else {
            throw incomplete(
                "matrices of \(left.rows)×\(left.columns) and \(right.rows)×\(right.columns) do not fit each other"
            )
        }
        try check(left.rows, right.columns, limit)
        return left.times(right)
    }

    /// Throws where a matrix would have more numbers than it may.
    private func check(_ rows: Int, _ columns: Int, _ limit: Int) throws(AdapterError) {
        let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
        guard !overflow, count <= limit else {
            throw incomplete(
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
        _ core: AdapterTensor, _ inputs: Matrix, columns: Int?, atMost limit: Int? = nil
    ) throws(AdapterError) -> Matrix {
        let (outer, inner) = (
            core.shape.rank > 1 ? core.shape[0] : 0, core.shape.rank > 1 ? core.shape[1] : 0
        )
        guard inner == inputs.rows, (1...Self.rankLimit).contains(outer), inner > 0 else {
            throw incomplete("a core of \(core.shape) does not fit \(inputs.rows) rows")
        }
        let cells = core.values.count / (outer * inner)
        let (width, overflow) = inputs.columns.multipliedReportingOverflow(by: cells)
        guard !overflow, columns ?? width == width else {
            throw incomplete(
                "a core of \(core.shape) and \(inputs.columns) inputs do not make \(columns ?? 0) columns")
        }
        if let limit { try check(outer, width, limit) }
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
    private func checked(_ update: AdapterUpdate, _ weight: Shape) throws(AdapterError) -> AdapterUpdate {
        let count = weight.checkedCount ?? 0
        let rows = weight.rank > 0 ? weight[0] : 1
        let columns = rows > 0 ? count / rows : 0
        let shape = update.shape
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
            throw differentRanks(inner.0, inner.1)
        }
        guard update.form.isWhole ? shape.columns == count : shape == (rows, columns) else {
            throw .wrongShape(
                path: file, layer: name, rows: shape.rows, columns: shape.columns, weight: weight)
        }
        if let magnitude = update.magnitude {
            let wanted = magnitude.isOfOutputs ? rows : weight.rank > 1 ? weight[1] : 1
            guard magnitude.lengths.count == wanted else {
                throw incomplete("it has \(magnitude.lengths.count) magnitudes for \(weight)")
            }
        }
        return update
    }

    private func differentRanks(_ up: Int, _ down: Int) -> AdapterError {
        incomplete("its matrices have ranks of \(up) and \(down)")
    }

    private func incomplete(_ reason: String) -> AdapterError {
        .incomplete(path: file, layer: name, reason: reason)
    }
}
