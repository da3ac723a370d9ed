import Foundation
import Testing

/// The tool away from the folder that it was built in.
@Suite("The tool where it is installed")
struct InstalledToolTests {
    let tool: Tool
    let program: URL

    init() throws {
        tool = try Tool()
        program = tool.file("bin/easel")
        try FileManager.default.createDirectory(
            at: program.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: Tool.executable, to: program)
    }

    /// What a package would put into `share/easel`.
    private func share(_ file: URL) throws {
        let target = tool.file("share/easel").appending(path: file.lastPathComponent)
        try FileManager.default.createDirectory(
            at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(at: target, withDestinationURL: file)
    }

    @Test func whatIsMissingIsNamed() async throws {
        let model = try await tool.run(["a", "--steps", "1"], program: program)
        #expect(model.code == 65 && model.errors.contains("Models/demo"), "\(model.errors)")
        let shaders = try await tool.run(
            ["a", "-m", Tool.model("tiny-sd1").path, "--steps", "1", "--device", "gpu:llvmpipe"],
            program: program)
        #expect(
            shaders.code == 69 && shaders.errors.contains("Easel_VulkanEngine.resources"),
            "\(shaders.errors)")
        #expect(try tool.files == ["bin"])
    }

    @Test func whatComesWithItIsFoundInShare() async throws {
        let models = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Models")
        try share(models)
        try share(
            Tool.executable.deletingLastPathComponent().appending(path: "Easel_VulkanEngine.resources"))
        let made = try await tool.run(
            ["a", "--steps", "1", "-W", "64", "-H", "64", "--device", "gpu:llvmpipe", "-o", "a.png"],
            program: program)
        #expect(made.code == 0, "\(made.errors)")
        #expect(try tool.files == ["a.png", "bin", "share"])
    }
}
