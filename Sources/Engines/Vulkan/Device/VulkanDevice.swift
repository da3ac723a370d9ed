import CVulkanLoader
import EngineInterface
import Foundation
import Synchronization

/// How many bytes of memory are held, and were at most.
struct MemoryCount {
    private(set) var byteCount = 0
    private(set) var peakByteCount = 0

    mutating func add(_ count: Int) {
        byteCount += count
        peakByteCount = max(peakByteCount, byteCount)
    }
}

/// A processor that is open: its queue, its memory and the pipelines that were made for it.
final class VulkanDevice: @unchecked Sendable {
    let functions: easel_vulkan_device
    let handle: VkDevice
    let physical: PhysicalDevice
    /// The properties of each kind of memory.
    let memoryTypes: [VkMemoryPropertyFlags]
    let queueFamily: UInt32
    /// The family of the queue that copies beside what is computed, which may be the same.
    let transferFamily: UInt32
    private let queue: VkQueue
    private let transferQueue: VkQueue
    /// Queues are for one thread at a time.
    private let queueLock = NSLock()
    let pipelineLayout: VkPipelineLayout
    /// Those that were made, for whoever holds the lock.
    var pipelines: [Kernel: VkPipeline] = [:]
    let pipelineLock = NSLock()
    let memory = Mutex(MemoryCount())
    /// How long a submission is waited for before the device is taken for lost.
    let patience: Duration
    /// Whether the driver says of each pipeline what its compiler made of it.
    let capturesStatistics: Bool
    /// Why nothing is computed on it any more; nil while it is.
    private let loss = Mutex<Loss?>(nil)
    var isLost: Bool { loss.withLock { $0 != nil } }
    /// Whether it did not answer: what it may still be at work on is never given back.
    var isUnanswering: Bool { loss.withLock { $0?.isUnanswered ?? false } }

    private struct Loss {
        let reason: String
        let isUnanswered: Bool
    }

    /// - Throws: ``EngineError/unavailable(engine:reason:remedy:)``.
    init(
        _ physical: PhysicalDevice, patience: Duration, capturingStatistics: Bool = false
    ) throws(EngineError) {
        self.physical = physical
        let capturesStatistics = capturingStatistics && physical.offersStatistics
        self.capturesStatistics = capturesStatistics
        self.patience = patience
        func unavailable(_ reason: String) -> EngineError {
            .unavailable(
                engine: "vulkan", reason: "\(physical.name): \(reason)",
                remedy:
                    "Update the GPU's driver, choose another device of `easel devices`, or compute on the CPU "
                    + "(--device cpu).")
        }
        if let missing = physical.missing { throw unavailable(missing) }
        guard let queueFamily = physical.queueFamily else { throw unavailable("it does not compute") }
        self.queueFamily = queueFamily
        let families = [queueFamily] + (physical.transferFamily.map { [$0] } ?? [])
        transferFamily = families[families.count - 1]
        let instance = physical.instance
        memoryTypes = PhysicalDevice.memory(of: physical.handle, instance).types.map(\.propertyFlags)

        var device: VkDevice?
        let status = CallMemory.with { memory in
            let queues = families.map { family in
                var queue = VkDeviceQueueCreateInfo()
                queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO
                queue.queueFamilyIndex = family
                queue.queueCount = 1
                queue.pQueuePriorities = UnsafePointer(memory.address(of: Float(1)))
                return queue
            }
            let extensions = Self.extensions(of: physical, capturingStatistics: capturesStatistics)
            var information = VkDeviceCreateInfo()
            information.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO
            information.pNext = UnsafeRawPointer(
                Self.features(of: physical, capturingStatistics: capturesStatistics, in: &memory))
            information.queueCreateInfoCount = UInt32(queues.count)
            information.pQueueCreateInfos = memory.address(of: queues)
            information.enabledExtensionCount = UInt32(extensions.count)
            information.ppEnabledExtensionNames = memory.address(of: extensions)
            return instance.functions.vkCreateDevice(physical.handle, &information, nil, &device)
        }
        guard status == VK_SUCCESS, let device else {
            throw unavailable("it could not be opened (\(status.name))")
        }
        var functions = easel_vulkan_device()
        let missing = withUnsafePointer(to: instance.functions) {
            easel_vulkan_load_device($0, device, &functions)
        }
        if let missing {
            functions.vkDestroyDevice?(device, nil)
            throw unavailable("its driver has no function \(String(cString: missing))")
        }
        self.functions = functions
        handle = device
        var queue: VkQueue?
        functions.vkGetDeviceQueue(device, queueFamily, 0, &queue)
        var transferQueue = queue
        if transferFamily != queueFamily {
            functions.vkGetDeviceQueue(device, transferFamily, 0, &transferQueue)
        }
        var layout: VkPipelineLayout?
        let layoutStatus = CallMemory.with { memory in
            var range = VkPushConstantRange()
            range.stageFlags = VkShaderStageFlags(VK_SHADER_STAGE_COMPUTE_BIT.rawValue)
            range.size = UInt32(Kernel.parameterByteCount)
            var information = VkPipelineLayoutCreateInfo()
            information.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO
            information.pushConstantRangeCount = 1
            information.pPushConstantRanges = UnsafePointer(memory.address(of: range))
            return functions.vkCreatePipelineLayout(device, &information, nil, &layout)
        }
        guard layoutStatus == VK_SUCCESS, let queue, let transferQueue, let layout else {
            functions.vkDestroyDevice(device, nil)
            throw unavailable("it could not be opened (\(layoutStatus.name))")
        }
        self.queue = queue
        self.transferQueue = transferQueue
        pipelineLayout = layout
    }

    deinit {
        if isUnanswering { return }
        for pipeline in pipelines.values {
            functions.vkDestroyPipeline(handle, pipeline, nil)
        }
        functions.vkDestroyPipelineLayout(handle, pipelineLayout, nil)
        functions.vkDestroyDevice(handle, nil)
    }

    /// What is to be on; a device that is layered over another interface must have the extension of that.
    private static func extensions(
        of physical: PhysicalDevice, capturingStatistics: Bool
    ) -> [String] {
        ["VK_KHR_portability_subset"].filter(physical.extensions.contains)
            + (physical.cooperativeMatrices.isEmpty ? [] : CooperativeMatrices.extensions)
            + (capturingStatistics ? [KernelStatistics.extension] : [])
    }

    /// The chain of the features that are to be on.
    private static func features(
        of physical: PhysicalDevice, capturingStatistics: Bool, in memory: inout CallMemory
    ) -> UnsafeMutableRawPointer {
        let hasMatrices = !physical.cooperativeMatrices.isEmpty
        var twelve = VkPhysicalDeviceVulkan12Features()
        twelve.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES
        twelve.bufferDeviceAddress = VkBool32(VK_TRUE)
        twelve.timelineSemaphore = VkBool32(VK_TRUE)
        twelve.shaderFloat16 = VkBool32(hasMatrices ? VK_TRUE : VK_FALSE)
        twelve.vulkanMemoryModel = twelve.shaderFloat16
        var eleven = VkPhysicalDeviceVulkan11Features()
        eleven.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES
        eleven.storageBuffer16BitAccess = VkBool32(physical.hasHalfStorage ? VK_TRUE : VK_FALSE)
        var chain = memory.chain(twelve, before: nil)
        chain = memory.chain(eleven, before: chain)
        if hasMatrices {
            var matrices = VkPhysicalDeviceCooperativeMatrixFeaturesKHR()
            matrices.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR
            matrices.cooperativeMatrix = VkBool32(VK_TRUE)
            var subgroups = VkPhysicalDeviceSubgroupSizeControlFeatures()
            subgroups.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES
            subgroups.computeFullSubgroups = VkBool32(VK_TRUE)
            let requiresSizes = physical.cooperativeMatrices.contains { $0.subgroup.isRequired }
            subgroups.subgroupSizeControl = VkBool32(requiresSizes ? VK_TRUE : VK_FALSE)
            chain = memory.chain(subgroups, before: chain)
            chain = memory.chain(matrices, before: chain)
        }
        if capturingStatistics {
            var statistics = VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR()
            statistics.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR
            statistics.pipelineExecutableInfo = VkBool32(VK_TRUE)
            chain = memory.chain(statistics, before: chain)
        }
        return chain
    }

    /// Submits recorded commands; the fence is signalled when they are done.
    ///
    /// - Parameters:
    ///   - isTransfer: Whether they go to the queue that copies.
    ///   - points: What they wait for before they begin.
    ///   - raised: What they raise when they are done.
    func submit(
        _ commands: VkCommandBuffer, isTransfer: Bool = false, after points: [TimelineSemaphore.Point] = [],
        raising raised: TimelineSemaphore.Point? = nil, signalling fence: VkFence?, graph: String
    ) throws(EngineError) {
        if let loss = loss.withLock({ $0 }) { throw lost(loss, graph: graph) }
        let status = CallMemory.with { memory in
            var information = VkSubmitInfo()
            information.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO
            information.commandBufferCount = 1
            information.pCommandBuffers = UnsafePointer(memory.address(of: commands as VkCommandBuffer?))
            if !points.isEmpty || raised != nil {
                let stage = isTransfer ? VK_PIPELINE_STAGE_TRANSFER_BIT : VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT
                let raised = raised.map { [$0] } ?? []
                var timeline = VkTimelineSemaphoreSubmitInfo()
                timeline.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO
                timeline.waitSemaphoreValueCount = UInt32(points.count)
                timeline.pWaitSemaphoreValues = memory.address(of: points.map(\.value))
                timeline.signalSemaphoreValueCount = UInt32(raised.count)
                timeline.pSignalSemaphoreValues = memory.address(of: raised.map(\.value))
                information.pNext = UnsafeRawPointer(memory.address(of: timeline))
                information.waitSemaphoreCount = UInt32(points.count)
                information.pWaitSemaphores = memory.address(of: points.map { $0.semaphore.handle })
                information.pWaitDstStageMask = memory.address(
                    of: points.map { _ in VkPipelineStageFlags(stage.rawValue) })
                information.signalSemaphoreCount = UInt32(raised.count)
                information.pSignalSemaphores = memory.address(of: raised.map { $0.semaphore.handle })
            }
            return queueLock.withLock {
                functions.vkQueueSubmit(isTransfer ? transferQueue : queue, 1, &information, fence)
            }
        }
        try check(status, of: "vkQueueSubmit", graph: graph)
    }

    /// Waits until nothing is under way: a driver's own threads may still hold what it was given when the fence of the last
    /// submission is signalled.
    func waitUntilIdle() {
        if isLost { return }
        queueLock.withLock {
            _ = functions.vkQueueWaitIdle(transferQueue)
            _ = functions.vkQueueWaitIdle(queue)
        }
    }

    /// Waits until the fence is signalled.
    ///
    /// - Throws: ``EngineError/deviceLost(engine:device:graph:reason:)``, also where it takes longer than ``patience``.
    func wait(for fence: VkFence, graph: String) throws(EngineError) {
        // Whoever else waits for it need not wait as long again.
        if let loss = loss.withLock({ $0 }), loss.isUnanswered { throw lost(loss, graph: graph) }
        let nanoseconds = patience / .nanoseconds(1)
        let status = withUnsafePointer(to: fence as VkFence?) {
            functions.vkWaitForFences(handle, 1, $0, VkBool32(VK_TRUE), UInt64(nanoseconds))
        }
        if status == VK_TIMEOUT {
            throw lost(Loss(reason: "no answer in \(patience)", isUnanswered: true), graph: graph)
        }
        try check(status, of: "vkWaitForFences", graph: graph)
    }

    /// Takes the device for lost, for the first reason that there was.
    private func lost(_ loss: Loss, graph: String) -> EngineError {
        let first = self.loss.withLock { known in
            let first = known ?? loss
            known = first
            return first
        }
        return .deviceLost(engine: "vulkan", device: physical.name, graph: graph, reason: first.reason)
    }

    /// Throws what a call's result means, unless it succeeded.
    ///
    /// - Parameters:
    ///   - call: The function of Vulkan that was called.
    ///   - byteCount: The bytes that it was asked for.
    func check(
        _ status: VkResult, of call: String, graph: String, byteCount: Int? = nil
    ) throws(EngineError) {
        switch status {
        case VK_SUCCESS: return
        case VK_ERROR_DEVICE_LOST:
            throw lost(Loss(reason: "the driver says so", isUnanswered: false), graph: graph)
        case VK_ERROR_OUT_OF_DEVICE_MEMORY:
            throw .noDeviceMemory(
                engine: "vulkan", device: physical.name, graph: graph, byteCount: byteCount)
        case VK_ERROR_OUT_OF_HOST_MEMORY: throw .noMemory(engine: "vulkan", graph: graph)
        default:
            throw .failed(
                engine: "vulkan", graph: graph,
                reason:
                    "\(physical.name): \(call) gave \(status.name). Update the GPU's driver, or compute on the CPU "
                    + "(--device cpu).")
        }
    }
}
