import CVulkanLoader
import EngineInterface

/// Times by the device's clock, which its commands write.
final class TimeStamps: @unchecked Sendable {
    let count: Int
    let pool: VkQueryPool
    private let device: VulkanDevice
    private let graph: String
    private let clock: PhysicalDevice.Clock

    /// - Throws: ``EngineError``, also for a device whose queue writes no times.
    init(count: Int, _ device: VulkanDevice, graph: String) throws(EngineError) {
        guard let clock = device.physical.clock else {
            throw .failed(
                engine: "vulkan", graph: graph, reason: "\(device.physical.name) does not tell the time")
        }
        var information = VkQueryPoolCreateInfo()
        information.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO
        information.queryType = VK_QUERY_TYPE_TIMESTAMP
        information.queryCount = UInt32(count)
        var pool: VkQueryPool?
        try device.check(
            device.functions.vkCreateQueryPool(device.handle, &information, nil, &pool),
            of: "vkCreateQueryPool", graph: graph)
        guard let pool else {
            throw .failed(engine: "vulkan", graph: graph, reason: "no time stamps were made")
        }
        self.count = count
        self.pool = pool
        self.device = device
        self.graph = graph
        self.clock = clock
    }

    deinit {
        if device.isUnanswering { return }
        device.functions.vkDestroyQueryPool(device.handle, pool, nil)
    }

    /// The seconds from each time to the next, when all are written.
    func intervals() throws(EngineError) -> [Double] {
        var ticks = [UInt64](repeating: 0, count: count)
        try device.check(
            device.functions.vkGetQueryPoolResults(
                device.handle, pool, 0, UInt32(count), count * 8, &ticks, 8,
                VkQueryResultFlags(VK_QUERY_RESULT_64_BIT.rawValue | VK_QUERY_RESULT_WAIT_BIT.rawValue)),
            of: "vkGetQueryPoolResults", graph: graph)
        return zip(ticks, ticks.dropFirst()).map { clock.seconds(from: $0, to: $1) }
    }
}

extension PhysicalDevice {
    struct Clock {
        /// In nanoseconds.
        let period: Double
        /// The bits of a time that count; it begins again at zero after them.
        let mask: UInt64

        /// - Returns: nil for a queue that writes no times.
        init?(period: Float, validBits: UInt32) {
            guard validBits > 0 else { return nil }
            self.period = Double(period)
            mask = validBits >= 64 ? .max : 1 << UInt64(validBits) - 1
        }

        func seconds(from start: UInt64, to end: UInt64) -> Double {
            Double((end &- start) & mask) * period / 1e9
        }
    }
}
