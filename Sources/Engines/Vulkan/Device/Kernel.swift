import CVulkanLoader
import EngineInterface
import Foundation
import ProgramFiles
import Synchronization

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
        case cooperativeMatrixMultiply = "matrix_multiply_cooperative"
        case cooperativeConvolution = "convolution_cooperative"
        case cooperativeAttention = "attention_cooperative"
        case registerAttention = "attention_registers"
        case productParts = "product_parts"
        case matrixLayout = "matrix_layout"
        case matrixRate = "matrix_rate"

        /// Whether its subgroups hold matrices together.
        var hasFullSubgroups: Bool {
            switch self {
            case .cooperativeMatrixMultiply, .cooperativeConvolution, .cooperativeAttention,
                .registerAttention, .matrixLayout, .matrixRate:
                true
            default: false
            }
        }
    }

    /// What Vulkan lets every device take: addresses first, then numbers of 32 bits.
    static let parameterByteCount = 128

    let shader: Shader
    /// Whether numbers are stored in 16 bits.
    let isHalf: Bool
    /// The constants of the shader, in the order of their numbers.
    let constants: [Int32]
    /// The invocations that its subgroups must have; nil where that is left to the driver.
    var requiredSubgroupSize: Int?

    var file: String { "\(shader.rawValue).\(isHalf ? "f16" : "f32")" }

    /// What glslc made of the shaders; nil where the program was taken away from them.
    private static let folder = ProgramFiles.resources(of: "VulkanEngine")

    /// What glslc made of the shader; nil where the engine was built without it.
    var words: [UInt32]? {
        guard let code = Self.folder.flatMap({ try? Data(contentsOf: $0.appending(path: file + ".spv")) })
        else { return nil }
        return [UInt32](unsafeUninitializedCapacity: code.count / 4) { buffer, count in
            count = code.copyBytes(to: buffer) / 4
        }
    }

    /// A number of the shaders that are measured, another one where any of them is another: the hash FNV-1a of their words.
    static let measuredShaders: String = {
        let shaders = Shader.allCases.filter { $0.hasFullSubgroups || $0 == .productParts }
        let words = shaders.flatMap { Kernel(shader: $0, isHalf: true, constants: []).words ?? [] }
        let hash = words.reduce(0xCBF2_9CE4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01B3
        }
        return String(hash, radix: 16)
    }()
}

extension VulkanDevice {
    /// The pipeline of a kernel, made when it is first asked for.
    ///
    /// - Throws: ``EngineError``.
    func pipeline(_ kernel: Kernel, graph: String) throws(EngineError) -> VkPipeline {
        if let pipeline = pipelineLock.withLock({ pipelines[kernel] }) { return pipeline }
        let pipeline = try makePipeline(kernel, graph: graph)
        return pipelineLock.withLock {
            // Another thread may have made it meanwhile.
            if let kept = pipelines[kernel] {
                functions.vkDestroyPipeline(handle, pipeline, nil)
                return kept
            }
            pipelines[kernel] = pipeline
            return pipeline
        }
    }

    /// Makes the pipelines of kernels, on all of the machine's processors: drivers compile one for as long as seconds.
    ///
    /// - Throws: ``EngineError``.
    func prepare(_ kernels: Set<Kernel>, graph: String) throws(EngineError) {
        if let error = refusals(of: kernels, graph: graph).values.first { throw error }
    }

    /// Makes the pipelines of kernels likewise, as far as they can be made.
    ///
    /// - Returns: What stood against those that could not.
    func refusals(of kernels: Set<Kernel>, graph: String) -> [Kernel: EngineError] {
        let missing = pipelineLock.withLock { kernels.filter { pipelines[$0] == nil } }.map { $0 }
        let failures = Mutex<[Kernel: EngineError]>([:])
        DispatchQueue.concurrentPerform(iterations: missing.count) { index in
            do throws(EngineError) {
                _ = try pipeline(missing[index], graph: graph)
            } catch {
                failures.withLock { $0[missing[index]] = error }
            }
        }
        return failures.withLock { $0 }
    }

    private func makePipeline(_ kernel: Kernel, graph: String) throws(EngineError) -> VkPipeline {
        guard let compiled = kernel.words else {
            throw .unavailable(
                engine: "vulkan", reason: "its shader \(kernel.file) is not there",
                remedy:
                    "Keep Easel_VulkanEngine.resources, which the build makes, beside the program; where it was built "
                    + "without glslc, install that (Debian: apt install glslc) and build again.")
        }
        var module: VkShaderModule?
        let words = kernel.shader.hasFullSubgroups ? CooperativeModule(compiled).words : compiled
        let status = words.withUnsafeBufferPointer { words in
            var information = VkShaderModuleCreateInfo()
            information.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO
            information.codeSize = words.count * 4
            information.pCode = words.baseAddress
            return functions.vkCreateShaderModule(handle, &information, nil, &module)
        }
        try check(status, of: "vkCreateShaderModule", graph: graph)
        defer { functions.vkDestroyShaderModule(handle, module, nil) }
        var pipeline: VkPipeline?
        let pipelineStatus = CallMemory.with { memory in
            let entries = kernel.constants.indices.map {
                VkSpecializationMapEntry(constantID: UInt32($0), offset: UInt32($0 * 4), size: 4)
            }
            let specialization = VkSpecializationInfo(
                mapEntryCount: UInt32(entries.count), pMapEntries: memory.address(of: entries),
                dataSize: kernel.constants.count * 4, pData: memory.address(of: kernel.constants))
            var information = VkComputePipelineCreateInfo()
            information.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO
            information.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO
            information.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT
            information.stage.module = module
            if kernel.shader.hasFullSubgroups {
                information.stage.flags = VkPipelineShaderStageCreateFlags(
                    VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT.rawValue)
            }
            if let size = kernel.requiredSubgroupSize {
                var required = VkPipelineShaderStageRequiredSubgroupSizeCreateInfo()
                required.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO
                required.requiredSubgroupSize = UInt32(size)
                information.stage.pNext = UnsafeRawPointer(memory.address(of: required))
            }
            information.stage.pName = memory.address(of: "main")
            information.stage.pSpecializationInfo = UnsafePointer(memory.address(of: specialization))
            information.layout = pipelineLayout
            if capturesStatistics {
                information.flags = VkPipelineCreateFlags(
                    VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR.rawValue)
            }
            information.basePipelineIndex = -1
            return functions.vkCreateComputePipelines(handle, nil, 1, &information, nil, &pipeline)
        }
        try check(pipelineStatus, of: "vkCreateComputePipelines of \(kernel.file)", graph: graph)
        guard let pipeline else {
            throw .failed(engine: "vulkan", graph: graph, reason: "no pipeline was made of \(kernel.file)")
        }
        return pipeline
    }
}
