import CVulkanLoader
import EngineInterface

/// A number that submissions raise and that others wait for.
final class TimelineSemaphore: @unchecked Sendable {
    /// A number to wait for, or to raise it to.
    struct Point {
        let semaphore: TimelineSemaphore
        let value: UInt64
    }

    let handle: VkSemaphore
    private let device: VulkanDevice

    /// - Throws: ``EngineError``.
    init(_ device: VulkanDevice, graph: String) throws(EngineError) {
        var type = VkSemaphoreTypeCreateInfo()
        type.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO
        type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE
        var made: VkSemaphore?
        let status = withUnsafePointer(to: &type) { type in
            var information = VkSemaphoreCreateInfo()
            information.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO
            information.pNext = UnsafeRawPointer(type)
            return device.functions.vkCreateSemaphore(device.handle, &information, nil, &made)
        }
        try device.check(status, of: "vkCreateSemaphore", graph: graph)
        guard let made else {
            throw .failed(engine: "vulkan", graph: graph, reason: "no semaphore was made")
        }
        handle = made
        self.device = device
    }

    deinit {
        if device.isUnanswering { return }
        device.functions.vkDestroySemaphore(device.handle, handle, nil)
    }

    func at(_ value: UInt64) -> Point { Point(semaphore: self, value: value) }
}
