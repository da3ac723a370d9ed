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
    let memoryTypes: [VkMemoryType]
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
    /// Whether it stopped: what it may still be at work on is never given back.
    private let loss = Mutex(false)
    var isLost: Bool { loss.withLock { $0 } }

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
        memoryTypes = PhysicalDevice.memory(of: physical.handle, instance).types

        var eleven = VkPhysicalDeviceVulkan11Features()
        eleven.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES
        eleven.storageBuffer16BitAccess = VkBool32(physical.hasHalfStorage ? VK_TRUE : VK_FALSE)
        var twelve = VkPhysicalDeviceVulkan12Features()
        twelve.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES
        twelve.bufferDeviceAddress = VkBool32(VK_TRUE)
        twelve.timelineSemaphore = VkBool32(VK_TRUE)
        let hasMatrices = physical.cooperativeMatrices != nil
        twelve.shaderFloat16 = VkBool32(hasMatrices ? VK_TRUE : VK_FALSE)
        twelve.vulkanMemoryModel = twelve.shaderFloat16
        var matrices = VkPhysicalDeviceCooperativeMatrixFeaturesKHR()
        matrices.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR
        matrices.cooperativeMatrix = VkBool32(VK_TRUE)
        var subgroups = VkPhysicalDeviceSubgroupSizeControlFeatures()
        subgroups.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES
        subgroups.computeFullSubgroups = VkBool32(VK_TRUE)
        // A device that is layered over another interface must have this extension on.
        let portability = "VK_KHR_portability_subset"
        let offered = listed {
            instance.functions.vkEnumerateDeviceExtensionProperties(physical.handle, nil, $0, $1)
        }.map { text($0.extensionName) }
        var device: VkDevice?
        let extensions =
            [portability].filter(offered.contains) + (hasMatrices ? CooperativeMatrices.extensions : [])
            + (capturesStatistics ? [KernelStatistics.extension] : [])
        let status = withNames(extensions) { names in
            withUnsafeMutablePointer(to: &subgroups) { subgroups in
                withUnsafeMutablePointer(to: &matrices) { matrices in
                    withUnsafeMutablePointer(to: &twelve) { twelve in
                        withUnsafeMutablePointer(to: &eleven) { eleven in
                            withUnsafePointer(to: Float(1)) { priority in
                                if hasMatrices {
                                    matrices.pointee.pNext = UnsafeMutableRawPointer(subgroups)
                                    twelve.pointee.pNext = UnsafeMutableRawPointer(matrices)
                                }
                                eleven.pointee.pNext = UnsafeMutableRawPointer(twelve)
                                let queues = families.map { family in
                                    var queue = VkDeviceQueueCreateInfo()
                                    queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO
                                    queue.queueFamilyIndex = family
                                    queue.queueCount = 1
                                    queue.pQueuePriorities = priority
                                    return queue
                                }
                                return queues.withUnsafeBufferPointer { queues in
                                    var information = VkDeviceCreateInfo()
                                    information.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO
                                    information.queueCreateInfoCount = UInt32(queues.count)
                                    information.pQueueCreateInfos = queues.baseAddress
                                    information.enabledExtensionCount = UInt32(names.count)
                                    information.ppEnabledExtensionNames = names.baseAddress
                                    return withStatistics(capturesStatistics, before: eleven) {
                                        information.pNext = $0
                                        return instance.functions.vkCreateDevice(
                                            physical.handle, &information, nil, &device)
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        guard status == VK_SUCCESS, let device else {
            throw unavailable("it could not be opened (\(status.name))")
        }
        var functions = easel_vulkan_device()
        let missing = withUnsafePointer(to: instance.functions) {
            easel_vulkan_load_device($0, device, &functions)
        }
        if let missing { throw unavailable("its driver has no function \(String(cString: missing))") }
        self.functions = functions
        handle = device
        var queue: VkQueue?
        functions.vkGetDeviceQueue(device, queueFamily, 0, &queue)
        var transferQueue = queue
        if transferFamily != queueFamily {
            functions.vkGetDeviceQueue(device, transferFamily, 0, &transferQueue)
        }
        var layout: VkPipelineLayout?
        var range = VkPushConstantRange()
        range.stageFlags = VkShaderStageFlags(VK_SHADER_STAGE_COMPUTE_BIT.rawValue)
        range.size = UInt32(Kernel.parameterByteCount)
        let layoutStatus = withUnsafePointer(to: &range) { range in
            var information = VkPipelineLayoutCreateInfo()
            information.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO
            information.pushConstantRangeCount = 1
            information.pPushConstantRanges = range
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
        if isLost { return }
        for pipeline in pipelines.values {
            functions.vkDestroyPipeline(handle, pipeline, nil)
        }
        functions.vkDestroyPipelineLayout(handle, pipelineLayout, nil)
        functions.vkDestroyDevice(handle, nil)
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
        if isLost { try check(VK_ERROR_DEVICE_LOST, graph: graph) }
        let waited = points.map { $0.semaphore.handle as VkSemaphore? }
        let waitedValues = points.map(\.value)
        let stage = isTransfer ? VK_PIPELINE_STAGE_TRANSFER_BIT : VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT
        let stages = points.map { _ in VkPipelineStageFlags(stage.rawValue) }
        let raisedSemaphores = raised.map { [$0.semaphore.handle as VkSemaphore?] } ?? []
        let raisedValues = raised.map { [$0.value] } ?? []
        var timeline = VkTimelineSemaphoreSubmitInfo()
        timeline.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO
        timeline.waitSemaphoreValueCount = UInt32(points.count)
        timeline.signalSemaphoreValueCount = UInt32(raisedValues.count)
        var information = VkSubmitInfo()
        information.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO
        information.waitSemaphoreCount = UInt32(points.count)
        information.signalSemaphoreCount = UInt32(raisedSemaphores.count)
        information.commandBufferCount = 1
        let status = waited.withUnsafeBufferPointer { waited in
            waitedValues.withUnsafeBufferPointer { waitedValues in
                stages.withUnsafeBufferPointer { stages in
                    raisedSemaphores.withUnsafeBufferPointer { raisedSemaphores in
                        raisedValues.withUnsafeBufferPointer { raisedValues in
                            withUnsafePointer(to: commands as VkCommandBuffer?) { commands in
                                timeline.pWaitSemaphoreValues = waitedValues.baseAddress
                                timeline.pSignalSemaphoreValues = raisedValues.baseAddress
                                information.pWaitSemaphores = waited.baseAddress
                                information.pWaitDstStageMask = stages.baseAddress
                                information.pSignalSemaphores = raisedSemaphores.baseAddress
                                information.pCommandBuffers = commands
                                return withUnsafePointer(to: &timeline) { timeline in
                                    if !points.isEmpty || raised != nil {
                                        information.pNext = UnsafeRawPointer(timeline)
                                    }
                                    return queueLock.withLock {
                                        functions.vkQueueSubmit(
                                            isTransfer ? transferQueue : queue, 1, &information, fence)
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        try check(status, graph: graph)
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
        let nanoseconds = patience / .nanoseconds(1)
        let status = withUnsafePointer(to: fence as VkFence?) {
            functions.vkWaitForFences(handle, 1, $0, VkBool32(VK_TRUE), UInt64(nanoseconds))
        }
        if status == VK_TIMEOUT {
            loss.withLock { $0 = true }
            throw .deviceLost(
                engine: "vulkan", device: physical.name, graph: graph, reason: "no answer in \(patience)")
        }
        try check(status, graph: graph)
    }

    func check(_ status: VkResult, graph: String, byteCount: Int = 0) throws(EngineError) {
        switch status {
        case VK_SUCCESS: return
        case VK_ERROR_DEVICE_LOST:
            loss.withLock { $0 = true }
            throw .deviceLost(
                engine: "vulkan", device: physical.name, graph: graph, reason: "the driver says so")
        case VK_ERROR_OUT_OF_DEVICE_MEMORY, VK_ERROR_OUT_OF_HOST_MEMORY:
            throw .noDeviceMemory(
                engine: "vulkan", device: physical.name, graph: graph, byteCount: byteCount)
        default: throw .failed(engine: "vulkan", graph: graph, reason: "\(physical.name): \(status.name)")
        }
    }
}
