import ArgumentParser
import Easel

/// The command line tool.
@main
struct EaselTool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "easel",
        abstract: "Make pictures from text with Stable Diffusion, on this machine.",
        version: "easel \(easelVersion)",
        subcommands: [
            GenerateCommand.self, ServeCommand.self, SamplersCommand.self, TokensCommand.self,
            InspectCommand.self,
            ConvertCommand.self, QuantizeCommand.self, PullCommand.self, ModelsCommand.self,
            RemoveCommand.self, GraphCommand.self, BenchCommand.self, DevicesCommand.self,
        ],
        defaultSubcommand: GenerateCommand.self)
}
