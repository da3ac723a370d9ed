import TensorGraph

/// Why an adapter (LoRA and its kin) cannot be used with a model.
public enum AdapterError: Error, Sendable, Hashable, CustomStringConvertible {
    /// None of the file's tensors are an adapter's.
    case notAnAdapter(path: String, names: [String])
    /// A folder has no file of an adapter.
    case emptyFolder(path: String, names: [String])
    /// The adapter changes a model in a way that is not one of those that are known.
    case unsupported(path: String, kind: String)
    /// The adapter is for another family than the model's, by its notes, its layers' names and widths, or because the
    /// model does not have them.
    case otherFamily(path: String, family: String?, model: String?, layers: [String], count: Int)
    /// The adapter's matrices do not make a weight of the model's shape.
    case wrongShape(path: String, layer: String, rows: Int, columns: Int, weight: Shape)
    /// Parts of a layer's change are missing, or do not fit each other.
    case incomplete(path: String, layer: String, reason: String)
    /// A number is not one.
    case notFinite(path: String, tensor: String)

    public var description: String {
        switch self {
        case .notAnAdapter(let path, let names):
            "\(path): no LoRA, LoHa, LoKr or the like: none of its tensors are such ones' "
                + "(\(names.prefix(3).map(\.quoted).joined(separator: ", ")), …)"
        case .emptyFolder(let path, let names):
            "\(path): a folder without an adapter's file: there is no \(names.joined(separator: ", ")) in it"
        case .unsupported(let path, let kind):
            "\(path): this is \(kind), which is not supported; supported are LoRA, LoCon, LoHa, LoKr, DoRA and "
                + "whole differences"
        case .otherFamily(let path, let family, let model, let layers, let count):
            "\(path): this is an adapter for \(family.map(Self.plain) ?? "another model")"
                + (model.map { ", the model is \($0)" } ?? "")
                + (layers.isEmpty
                    ? ""
                    : "; it lacks \(layers.count) of the adapter's \(count) layers: "
                        + layers.prefix(5).map(\.quoted).joined(separator: ", ")
                        + (layers.count > 5 ? ", …" : ""))
        case .wrongShape(let path, let layer, let rows, let columns, let weight):
            "\(path): for \(layer.quoted) the adapter has a matrix of \(rows)×\(columns), the model a weight of "
                + "\(weight); the adapter is for another model"
        case .incomplete(let path, let layer, let reason): "\(path): \(layer.quoted): \(reason)"
        case .notFinite(let path, let tensor): "\(path): \(tensor.quoted) has a number that is not finite"
        }
    }

    /// A family's name, which for one that is not known is what a file says of itself.
    private static func plain(_ family: String) -> String {
        family.hasControlCharacter || family.count > 80 ? family.quoted : family
    }
}
