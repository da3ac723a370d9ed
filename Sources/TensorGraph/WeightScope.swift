/// A place in the checkpoint's tree of names, such as `down_blocks.0.resnets.1`.
///
/// Descending and declaring is one expression, so that a network's code and its checkpoint's names cannot
/// drift apart: `linear(x, to: 320, weights["time_embedding", "linear_1"])`.
public struct WeightScope {
    public let path: String
    public let builder: GraphBuilder

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
    ///
    /// One that is stored as integers of 8 or 4 bits is taken times its scale, `<name>_scale` `[rows, 1, …]`; a matrix stored
    /// as `[rows, groups, group size]` times its groups' scales `[rows, groups, 1]`.
    public func tensor(_ name: String, _ shape: Shape) -> Tensor {
        if let groups = builder.groups(self[name].path, of: shape) {
            let scale: Shape = [groups[0], groups[1], 1]
            let product =
                builder.weight(self[name].path, shape: groups)
                * builder.weight(self[name].path + GraphBuilder.scaleEnding, shape: scale)
            return reshape(product, shape)
        }
        let tensor = builder.weight(self[name].path, shape: shape)
        guard builder.isScaled(self[name].path) else { return tensor }
        let scale = Shape(shape.dimensions.enumerated().map { $0.offset == 0 ? $0.element : 1 })
        return tensor * builder.weight(self[name].path + GraphBuilder.scaleEnding, shape: scale)
    }

    /// What a layer of this scope is given, rounded to the levels that the checkpoint has for it in `input_range` `[2]`,
    /// the lowest and the highest; unchanged where it has none.
    public func quantized(_ x: Tensor) -> Tensor {
        guard has("input_range") else { return x }
        let range = tensor("input_range", [2])
        return fakeQuantize(x, low: slice(range, axis: 0, 0..<1), high: slice(range, axis: 0, 1..<2))
    }
}
