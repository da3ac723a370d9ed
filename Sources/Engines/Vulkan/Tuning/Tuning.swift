import Foundation

/// What is chosen for a device: results are the same but for the order of sums.
struct Tuning: Sendable {
    /// How many rows or columns of a product a workgroup has at most: 64 or 128.
    var largestTile: Int
    /// How many of the largest tiles there must be for them to be taken.
    var fewestTiles = 64
    /// The bytes that a workgroup's invocations may share.
    var sharedMemoryByteCount: Int
    /// The matrices that subgroups multiply together, of which it is known that they are right; nil where products are sums of
    /// single numbers.
    var matrices: CooperativeMatrices?
    /// How many invocations a workgroup has at most.
    var largestWorkgroup: Int
    /// How many workgroups a dispatch has at most on each axis.
    var mostWorkgroups: Workgroups
    /// How all products are divided that can be; nil where it goes by what was measured, or by their sizes.
    var productChoice: ProductChoice?
    /// Where the elements of those matrices are; nil where that is not known.
    var layout: MatrixLayout?
    /// A way that is being measured, and the products that it is measured for.
    var trial: (choice: ProductChoice, shapes: Set<ProductShape>)?
    /// How products are divided, as was measured.
    let products: ProductChoices
    /// Whether those that nothing is known of are measured.
    var isMeasuring: Bool
    /// How many workgroups there must be at least for the device to be busy.
    var processors = 128
    /// How many multiplications and additions are submitted to the device at one time: what takes a slow one less than the ten
    /// seconds after which drivers take it for lost, and a fast one so long that another submission is nothing beside it.
    var submittedOperationCount: Int
    /// The bytes of each of the two stages that weights go through.
    var stagingByteCount = 32 << 20
    /// The bytes of the device's memory that weights have which are brought there while a graph runs; nil where all are there.
    var streamedByteCount: Int?

    /// - Parameter folder: Where what was measured is kept; nil keeps it for as long as the process runs.
    init(_ device: PhysicalDevice, keptIn folder: URL?) {
        // A program's registers are memory.
        largestTile = device.kind == .software ? 64 : 128
        sharedMemoryByteCount = device.sharedMemoryByteCount
        largestWorkgroup = device.largestWorkgroup
        mostWorkgroups = device.mostWorkgroups
        submittedOperationCount = device.kind == .discrete ? 2_000_000_000_000 : 200_000_000_000
        products = ProductChoices(
            file: device.cooperativeMatrices.isEmpty
                ? nil : folder?.appending(path: "vulkan-\(device.identifier)-\(Kernel.measuredShaders).json"))
        // What a program takes says nothing.
        isMeasuring = device.kind != .software
    }
}
