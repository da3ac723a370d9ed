import Foundation
import PackagePlugin

/// Compiles a target's compute shaders, `Shaders/*.comp`, to SPIR-V: each for numbers of 32 bits, and for numbers of 16.
///
/// Without a compiler nothing is made, and the engine says at run time what was missing.
@main struct CompileShaders: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let folder = target.directoryURL.appending(path: "Shaders")
        let directories = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        let candidates = directories.map { URL(filePath: String($0)).appending(path: "glslc") }
        guard
            let compiler = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0.path()) }
            )
        else {
            Diagnostics.warning("glslc is not on the PATH: the Vulkan engine is built without its shaders")
            return []
        }
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .sorted { $0.path() < $1.path() }
        let shared = files.filter { $0.pathExtension == "glsl" }
        return files.filter { $0.pathExtension == "comp" }.flatMap { shader in
            [("f32", []), ("f16", ["-DHALF"])].map { (type, flags) -> Command in
                let name = "\(shader.deletingPathExtension().lastPathComponent).\(type).spv"
                let result = context.pluginWorkDirectoryURL.appending(path: name)
                return .buildCommand(
                    displayName: "Compiling \(name)", executable: compiler,
                    arguments: ["-O", "--target-env=vulkan1.2", "-I", folder.path()] + flags
                        + ["-o", result.path(), shader.path()],
                    inputFiles: [shader] + shared, outputFiles: [result])
            }
        }
    }
}
