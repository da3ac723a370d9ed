import ArgumentParser
import Easel
import Foundation

extension ModelNetwork: ExpressibleByArgument {}

/// `easel graph`: a network of a model as text, an operation a line.
struct GraphCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graph", abstract: "List the operations of a model's network.")

    @Argument(help: "text-encoder, text-encoder-2, unet, vae-decoder or vae-encoder.")
    var network: ModelNetwork
    @Option(
        name: [.short, .long],
        help: "A model: a folder in diffusers' layout, or a single file (default: the demo model).")
    var model: String?
    @Option(name: [.customShort("W"), .long], help: "Width in pixels (default: the model's own).")
    var width: Int?
    @Option(name: [.customShort("H"), .long], help: "Height in pixels (default: the model's own).")
    var height: Int?
    @Option(help: "The number of pictures at once.")
    var batchSize = 1
    @Flag(help: "Show composite operations as what they decompose to.")
    var decomposed = false

    func run() async throws {
        await reportingErrors {
            let graph = try network.graph(
                of: ModelLocation.url(named: model), width: width, height: height, batchSize: batchSize)
            print(decomposed ? try graph.decomposed() : graph)
        }
    }
}
