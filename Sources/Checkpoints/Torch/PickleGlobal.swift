/// What a pickle of weights may name. The names are compared, never looked up, and nothing is called.
enum PickleGlobal: Hashable, Sendable {
    case orderedDictionary
    case rebuildTensor
    case rebuildParameter
    case storage(TorchStorageType)
    /// A container of parameters, as in the first textual inversions.
    case parameterDictionary
    /// A name that trained checkpoints have beside their weights; what is made of it is never looked at.
    case opaque(String)

    init?(module: String, name: String) {
        switch (module, name) {
        case ("collections", "OrderedDict"): self = .orderedDictionary
        case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
        case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
        case ("torch.nn.modules.container", "ParameterDict"): self = .parameterDictionary
        case ("torch", _):
            guard let type = TorchStorageType(rawValue: name) else { return nil }
            self = .storage(type)
        case ("numpy.core.multiarray", "scalar"), ("numpy._core.multiarray", "scalar"), ("numpy", "dtype"),
            ("_codecs", "encode"), ("__builtin__", "set"), ("builtins", "set"),
            ("pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint"):
            self = .opaque(module + "." + name)
        default: return nil
        }
    }

    var summary: String {
        switch self {
        case .orderedDictionary: "collections.OrderedDict"
        case .rebuildTensor: "torch._utils._rebuild_tensor_v2"
        case .rebuildParameter: "torch._utils._rebuild_parameter"
        case .storage(let type): "torch." + type.rawValue
        case .parameterDictionary: "torch.nn.modules.container.ParameterDict"
        case .opaque(let name): name
        }
    }
}
