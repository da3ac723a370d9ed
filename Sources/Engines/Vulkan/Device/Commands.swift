import CVulkanLoader
import EngineInterface

/// Commands that are recorded once and may be submitted again and again.
final class Commands: @unchecked Sendable {
    private let device: VulkanDevice
    private let graph: String
    private let pool: VkCommandPool
    private let buffer: VkCommandBuffer
    private let fence: VkFence
    /// Whether they are of the queue that copies beside what is computed.
    private let isTransfer: Bool
    private var isUnderWay = false

    /// - Throws: ``EngineError``.
    init(_ device: VulkanDevice, isTransfer: Bool = false, graph: String) throws(EngineError) {
        self.device = device
        self.isTransfer = isTransfer
        self.graph = graph
        let functions = device.functions
        var poolInformation = VkCommandPoolCreateInfo()
        poolInformation.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO
        poolInformation.flags = VkCommandPoolCreateFlags(
            VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT.rawValue)
        poolInformation.queueFamilyIndex = isTransfer ? device.transferFamily : device.queueFamily
        var pool: VkCommandPool?
        try device.check(
            functions.vkCreateCommandPool(device.handle, &poolInformation, nil, &pool),
            of: "vkCreateCommandPool", graph: graph)
        var allocation = VkCommandBufferAllocateInfo()
        allocation.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO
        allocation.commandPool = pool
        allocation.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY
        allocation.commandBufferCount = 1
        var buffer: VkCommandBuffer?
        var call = "vkAllocateCommandBuffers"
        var status = functions.vkAllocateCommandBuffers(device.handle, &allocation, &buffer)
        var fenceInformation = VkFenceCreateInfo()
        fenceInformation.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO
        var fence: VkFence?
        if status == VK_SUCCESS {
            call = "vkCreateFence"
            status = functions.vkCreateFence(device.handle, &fenceInformation, nil, &fence)
        }
        guard status == VK_SUCCESS, let pool, let buffer, let fence else {
            functions.vkDestroyCommandPool(device.handle, pool, nil)
            try device.check(status, of: call, graph: graph)
            throw .failed(engine: "vulkan", graph: graph, reason: "no command buffer was made")
        }
        self.pool = pool
        self.buffer = buffer
        self.fence = fence
    }

    deinit {
        // What is under way reads what is about to be freed.
        try? finish()
        if device.isUnanswering { return }
        device.functions.vkDestroyFence(device.handle, fence, nil)
        device.functions.vkDestroyCommandPool(device.handle, pool, nil)
    }

    /// Records what `body` adds, in place of what was recorded before.
    ///
    /// - Throws: ``EngineError``.
    func record(isUsedOnce: Bool, _ body: () throws(EngineError) -> Void) throws(EngineError) {
        var information = VkCommandBufferBeginInfo()
        information.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO
        if isUsedOnce {
            information.flags = VkCommandBufferUsageFlags(
                VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT.rawValue)
        }
        try device.check(
            device.functions.vkBeginCommandBuffer(buffer, &information), of: "vkBeginCommandBuffer",
            graph: graph)
        try body()
        if !isTransfer { barrier(toHost: true) }
        try device.check(
            device.functions.vkEndCommandBuffer(buffer), of: "vkEndCommandBuffer", graph: graph)
    }

    /// Adds a dispatch.
    ///
    /// - Parameter addresses: Those of the operands, in their order.
    func dispatch(_ call: KernelCall, at addresses: [UInt64]) throws(EngineError) {
        let functions = device.functions
        functions.vkCmdBindPipeline(
            buffer, VK_PIPELINE_BIND_POINT_COMPUTE, try device.pipeline(call.kernel, graph: graph))
        var parameters = addresses.flatMap { [UInt32(truncatingIfNeeded: $0), UInt32($0 >> 32)] }
        parameters += call.parameters
        // All that a shader may read is written, whatever it declares.
        parameters += [UInt32](repeating: 0, count: Kernel.parameterByteCount / 4 - parameters.count)
        functions.vkCmdPushConstants(
            buffer, device.pipelineLayout, VkShaderStageFlags(VK_SHADER_STAGE_COMPUTE_BIT.rawValue), 0,
            UInt32(Kernel.parameterByteCount), parameters)
        let workgroups = call.workgroups
        functions.vkCmdDispatch(buffer, UInt32(workgroups.x), UInt32(workgroups.y), UInt32(workgroups.z))
    }

    /// Adds a copy of bytes.
    func copy(
        _ byteCount: Int, from source: (buffer: DeviceBuffer, offset: Int),
        to target: (buffer: DeviceBuffer, offset: Int)
    ) {
        guard byteCount > 0 else { return }
        var barrier = VkMemoryBarrier()
        barrier.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER
        barrier.srcAccessMask = VkAccessFlags(VK_ACCESS_MEMORY_WRITE_BIT.rawValue)
        barrier.dstAccessMask = VkAccessFlags(
            VK_ACCESS_TRANSFER_READ_BIT.rawValue | VK_ACCESS_TRANSFER_WRITE_BIT.rawValue)
        device.functions.vkCmdPipelineBarrier(
            buffer, VkPipelineStageFlags(VK_PIPELINE_STAGE_ALL_COMMANDS_BIT.rawValue),
            VkPipelineStageFlags(VK_PIPELINE_STAGE_TRANSFER_BIT.rawValue), 0, 1, &barrier, 0, nil, 0, nil)
        var region = VkBufferCopy(
            srcOffset: VkDeviceSize(source.offset), dstOffset: VkDeviceSize(target.offset),
            size: VkDeviceSize(byteCount))
        device.functions.vkCmdCopyBuffer(buffer, source.buffer.buffer, target.buffer.buffer, 1, &region)
    }

    /// Forgets the times of an earlier submission, before any is written.
    func reset(_ stamps: TimeStamps) {
        device.functions.vkCmdResetQueryPool(buffer, stamps.pool, 0, UInt32(stamps.count))
    }

    /// Has the time written at which all that came before is done.
    func write(_ index: Int, of stamps: TimeStamps) {
        device.functions.vkCmdWriteTimestamp(
            buffer, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, stamps.pool, UInt32(index))
    }

    /// Lets what comes after see what came before.
    func barrier(toHost: Bool = false) {
        var barrier = VkMemoryBarrier()
        barrier.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER
        barrier.srcAccessMask = VkAccessFlags(VK_ACCESS_SHADER_WRITE_BIT.rawValue)
        barrier.dstAccessMask = VkAccessFlags(
            toHost
                ? VK_ACCESS_HOST_READ_BIT.rawValue
                : VK_ACCESS_SHADER_READ_BIT.rawValue | VK_ACCESS_SHADER_WRITE_BIT.rawValue)
        let after = toHost ? VK_PIPELINE_STAGE_HOST_BIT : VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT
        device.functions.vkCmdPipelineBarrier(
            buffer, VkPipelineStageFlags(VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT.rawValue),
            VkPipelineStageFlags(after.rawValue), 0, 1, &barrier, 0, nil, 0, nil)
    }

    /// Has the device begin.
    ///
    /// - Parameter isLast: Whether ``finish()`` is to wait for them, and so for those that were started before on the queue.
    func start(isLast: Bool = true) throws(EngineError) {
        try device.submit(
            buffer, isTransfer: isTransfer, signalling: isLast ? fence : nil, graph: graph)
        isUnderWay = isLast
    }

    /// Has the device begin when it has come as far as some points, and raise another when it is done.
    ///
    /// - Parameter isLast: Whether ``finish()`` is to wait for them.
    func start(
        after points: [TimelineSemaphore.Point], raising raised: TimelineSemaphore.Point, isLast: Bool
    ) throws(EngineError) {
        try device.submit(
            buffer, isTransfer: isTransfer, after: points, raising: raised,
            signalling: isLast ? fence : nil, graph: graph)
        isUnderWay = isLast
    }

    /// Waits until the device is done; at once where it was not started.
    func finish() throws(EngineError) {
        guard isUnderWay else { return }
        isUnderWay = false
        try device.wait(for: fence, graph: graph)
        _ = withUnsafePointer(to: fence as VkFence?) {
            device.functions.vkResetFences(device.handle, 1, $0)
        }
    }
}

extension VulkanDevice {
    /// Runs one dispatch and waits until it is done.
    ///
    /// - Throws: ``EngineError``.
    func run(_ call: KernelCall, at addresses: [UInt64], graph: String) throws(EngineError) {
        let commands = try Commands(self, graph: graph)
        try commands.record(isUsedOnce: true) { () throws(EngineError) in
            try commands.dispatch(call, at: addresses)
        }
        try commands.start()
        try commands.finish()
    }
}
