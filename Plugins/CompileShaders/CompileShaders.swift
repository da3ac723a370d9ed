import Foundation
import PackagePlugin

/// Compiles a target's compute shaders, `Shaders/*.comp`, to SPIR-V: each for numbers of 32 bits, and for numbers of 16;
/// those in `Shaders/Cooperative` for numbers of 16 alone.
///
/// Without a compiler nothing is made, and the engine says at run time what was missing.
@main struct CompileShaders: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        // Spaces and letters of other alphabets as they are.
        func path(_ file: URL) -> String { file.path(percentEncoded: false) }
        let folder = target.directoryURL.appending(path: "Shaders")
        let directories = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        let candidates = directories.map { URL(filePath: String($0)).appending(path: "glslc") }
        guard
            let compiler = candidates.first(where: { FileManager.default.isExecutableFile(atPath: path($0)) })
        else {
            Diagnostics.warning("glslc is not on the PATH: the Vulkan engine is built without its shaders")
            return []
        }
        func contents(of folder: URL) throws -> [URL] {
            try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
                .sorted { path($0) < path($1) }
        }
        let cooperative = folder.appending(path: "Cooperative")
        let (general, halves) = (try contents(of: folder), try contents(of: cooperative))
        let shared = (general + halves).filter { $0.pathExtension == "glsl" }
        let types = [("f32", []), ("f16", ["-DHALF"])]
        let shaders = general.map { ($0, types) } + halves.map { ($0, [types[1]]) }
        return shaders.filter { $0.0.pathExtension == "comp" }.flatMap { shader, types in
            types.map { (type, flags) -> Command in
                let name = "\(shader.deletingPathExtension().lastPathComponent).\(type).spv"
                let result = context.pluginWorkDirectoryURL.appending(path: name)
                return .buildCommand(
                    displayName: "Compiling \(name)", executable: compiler,
                    arguments: ["-O", "--target-env=vulkan1.2", "-I", path(folder)] + flags
                        + ["-o", path(result), path(shader)],
                    inputFiles: [shader] + shared, outputFiles: [result])
            }
        }
    }
}
