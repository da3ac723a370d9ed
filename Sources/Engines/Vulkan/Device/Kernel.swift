import CVulkanLoader
import EngineInterface
import Foundation

/// A shader with its constants: what a pipeline is made of.
struct Kernel: Hashable, Sendable {
    /// The files in `Shaders`.
    enum Shader: String, Sendable, CaseIterable {
        case unary, binary, copy, load, store, reduce, softmax, gather, scatter, geglu, convolution, attention
        case layerNorm = "layer_norm"
        case groupNorm = "group_norm"
        case topIndices = "top_indices"
        case matrixMultiply = "matrix_multiply"
        case layerNormRows = "layer_norm_rows"
        case softmaxRows = "softmax_rows"
        case groupNormStatistics = "group_norm_statistics"
        case groupNormApply = "group_norm_apply"
        case groupNormWhole = "group_norm_whole"
        case concatenate
    }

    /// What Vulkan lets every device take: addresses first, then numbers of 32 bits.
    static let parameterByteCount = 128

    let shader: Shader
    /// Whether numbers are stored in 16 bits.
    let isHalf: Bool
    /// The constants of the shader, in the order of their numbers.
    let constants: [Int32]

    fileprivate var file: String { "\(shader.rawValue).\(isHalf ? "f16" : "f32")" }
}

extension VulkanDevice {
    /// The pipeline of a kernel, made when it is first asked for.
    ///
    /// - Throws: ``EngineError``.
    func pipeline(_ kernel: Kernel, graph: String) throws(EngineError) -> VkPipeline {
        try pipelines.withLock { made throws(EngineError) in
            if let pipeline = made[kernel] { return pipeline }
            let pipeline = try makePipeline(kernel, graph: graph)
            made[kernel] = pipeline
            return pipeline
        }
    }

    private func makePipeline(_ kernel: Kernel, graph: String) throws(EngineError) -> VkPipeline {
        guard let url = Bundle.module.url(forResource: kernel.file, withExtension: "spv"),
            let code = try? Data(contentsOf: url)
        else {
            throw .unavailable(
                engine: "vulkan", reason: "it was built without its shader \(kernel.file)",
                remedy: "Install glslc (Debian: apt install glslc) and build again.")
        }
        var module: VkShaderModule?
        let words = [UInt32](unsafeUninitializedCapacity: code.count / 4) { buffer, count in
            count = code.copyBytes(to: buffer) / 4
        }
        let status = words.withUnsafeBufferPointer { words in
            var information = VkShaderModuleCreateInfo()
            information.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO
            information.codeSize = words.count * 4
            information.pCode = words.baseAddress
            return functions.vkCreateShaderModule(handle, &information, nil, &module)
        }
        try check(status, graph: graph)
        defer { functions.vkDestroyShaderModule(handle, module, nil) }
        let entries = kernel.constants.indices.map {
            VkSpecializationMapEntry(constantID: UInt32($0), offset: UInt32($0 * 4), size: 4)
        }
        var pipeline: VkPipeline?
        let pipelineStatus = entries.withUnsafeBufferPointer { entries in
            kernel.constants.withUnsafeBytes { constants in
                var specialization = VkSpecializationInfo(
                    mapEntryCount: UInt32(entries.count), pMapEntries: entries.baseAddress,
                    dataSize: constants.count, pData: constants.baseAddress)
                return withUnsafePointer(to: &specialization) { specialization in
                    "main".withCString { name in
                        var information = VkComputePipelineCreateInfo()
                        information.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO
                        information.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO
                        information.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT
                        information.stage.module = module
                        information.stage.pName = name
                        information.stage.pSpecializationInfo = specialization
                        information.layout = pipelineLayout
                        information.basePipelineIndex = -1
                        return functions.vkCreateComputePipelines(
                            handle, nil, 1, &information, nil, &pipeline)
                    }
                }
            }
        }
        try check(pipelineStatus, graph: graph)
        guard let pipeline else {
            throw .failed(engine: "vulkan", graph: graph, reason: "no pipeline was made of \(kernel.file)")
        }
        return pipeline
    }
}
