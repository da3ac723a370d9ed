/// A place in the checkpoint's tree of names, such as `down_blocks.0.resnets.1`.
///
/// Descending and declaring is one expression, so that a network's code and its checkpoint's names cannot
/// drift apart: `linear(x, to: 320, weights["time_embedding", "linear_1"])`.
public struct WeightScope {
    public let path: String
    let builder: GraphBuilder

    /// The scope below this one, reached by the components' descriptions joined with dots.
    public subscript(_ components: any CustomStringConvertible...) -> WeightScope {
        let parts = (path.isEmpty ? [] : [path]) + components.map(\.description)
        return WeightScope(path: parts.joined(separator: "."), builder: builder)
    }

    /// Whether the checkpoint has a tensor of that name here.
    public func has(_ name: String) -> Bool { builder.catalog.entry(named: self[name].path) != nil }

    /// The checkpoint's tensor of that name, with the shape that the network gives it; its values are read
    /// as `float32`, however they are stored.
    ///
    /// A tensor that is missing, or that has another shape, is reported when the graph is finished, together
    /// with the others of its kind.
    public func tensor(_ name: String, _ shape: Shape) -> Tensor {
        builder.weight(self[name].path, shape: shape)
    }
}
