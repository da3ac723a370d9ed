import TensorGraph

/// What the names that a pickle of weights has stand for.
extension PickleReader {
    /// The value of `function(*arguments)`, for the functions of ``PickleGlobal``.
    func call(_ function: PickleValues.Index, _ arguments: PickleValues.Index) throws(TorchError)
        -> PickleValues.Value
    {
        guard case .global(let global) = values[function] else {
            throw forbidden("a call of " + values.summary(function))
        }
        guard let arguments = values.tuple(arguments) else {
            throw damaged("\(global.summary) is called with " + values.summary(arguments))
        }
        switch global {
        case .orderedDictionary:
            guard arguments.isEmpty else {
                throw damaged("\(global.summary) is called with \(arguments.count) arguments")
            }
            return .dictionary([])
        case .rebuildTensor: return .tensor(try tensor(arguments))
        case .rebuildParameter:
            guard let first = arguments.first, case .tensor(let tensor) = values[first] else {
                throw damaged("a parameter is made of " + (arguments.first.map(values.summary) ?? "nothing"))
            }
            return .tensor(tensor)
        case .opaque: return .opaque
        case .storage, .parameterDictionary: throw forbidden("a call of \(global.summary)")
        }
    }

    /// A new object of a class, with nothing in it yet.
    func object(_ type: PickleValues.Index) throws(TorchError) -> PickleValues.Value {
        switch values[type] {
        case .global(.parameterDictionary): return .module(state: nil)
        case .global(.opaque): return .opaque
        default: throw forbidden("an object of " + values.summary(type))
        }
    }

    /// What a persistent id stands for: `("storage", class, key, device, count)`, before PyTorch 1.6 with a sixth, a view
    /// of another storage, which is None since PyTorch 0.4; there also `("module", class, …)`, a class with its source.
    func persistent(_ identifier: PickleValues.Index) throws(TorchError) -> PickleValues.Value {
        let members = values.tuple(identifier) ?? []
        if members.count > 1, values.text(members[0]) == "module",
            case .global(.parameterDictionary) = values[members[1]]
        {
            return values[members[1]]
        }
        guard (5...6).contains(members.count), values.text(members[0]) == "storage",
            case .global(.storage(let type)) = values[members[1]], let key = values.text(members[2]),
            values.text(members[3]) != nil, let count = values.integer(members[4]), count >= 0
        else {
            throw damaged(
                "a storage is not described by " + values.summary(identifier)
                    + (members.isEmpty
                        ? "" : ": " + members.prefix(6).map(values.summary).joined(separator: ", ")))
        }
        if members.count == 6 {
            guard case .none = values[members[5]] else {
                throw damaged("a storage is a view of another, as in PyTorch before 0.4")
            }
        }
        guard (1...20).contains(key.utf8.count), key.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw damaged("a storage's key is \(key.quoted), which is not a number")
        }
        return .storage(TorchStorage(type: type, key: key, count: count))
    }

    /// `_rebuild_tensor_v2(storage, offset, sizes, strides, requires_grad, hooks)`.
    private func tensor(_ arguments: [PickleValues.Index]) throws(TorchError) -> TorchTensor {
        guard (6...7).contains(arguments.count), case .storage(let storage) = values[arguments[0]],
            let offset = values.integer(arguments[1]), let sizes = values.integers(arguments[2]),
            let strides = values.integers(arguments[3])
        else {
            throw damaged(
                "a tensor is made of "
                    + (arguments.isEmpty
                        ? "nothing" : arguments.prefix(7).map(values.summary).joined(separator: ", ")))
        }
        let tensor = TorchTensor(storage: storage, offset: offset, shape: Shape(sizes), strides: strides)
        if let problem = tensor.problem {
            throw TorchError(
                path: path,
                problem: .tensor(
                    "a tensor of \(tensor.shape.rank <= 8 ? "\(tensor.shape)" : "\(tensor.shape.rank) axes")",
                    reason: problem.reason, offset: start))
        }
        return tensor
    }
}
