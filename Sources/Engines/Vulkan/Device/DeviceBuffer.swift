import CVulkanLoader
import EngineInterface

/// Memory with an address that shaders know, given back when nobody holds it.
final class DeviceBuffer: @unchecked Sendable {
    /// Whose memory it is.
    enum Place {
        /// The device's own, which the CPU need not see.
        case device
        /// The machine's, in which the CPU writes what the device reads.
        case staging
        /// The machine's, in which the CPU reads what the device writes.
        case results
    }

    let byteCount: Int
    /// The first byte's address on the device.
    let address: UInt64
    /// The first byte on the CPU; nil in the device's own memory.
    let pointer: UnsafeMutableRawPointer?
    private let device: VulkanDevice
    let buffer: VkBuffer
    private let memory: VkDeviceMemory
    /// What it takes of the device's own memory.
    private let ownByteCount: Int

    /// - Parameter isCopiedBeside: Whether the queue that copies has to do with it too.
    /// - Throws: ``EngineError/noDeviceMemory(engine:device:graph:byteCount:)``.
    init(
        byteCount: Int, in place: Place, of device: VulkanDevice, graph: String, isCopiedBeside: Bool = false
    ) throws(EngineError) {
        let byteCount = max(byteCount, 16)
        self.device = device
        self.byteCount = byteCount
        let functions = device.functions
        guard byteCount <= device.physical.largestAllocation else {
            throw .noDeviceMemory(
                engine: "vulkan", device: device.physical.name, graph: graph, byteCount: byteCount,
                limit: device.physical.largestAllocation)
        }
        var information = VkBufferCreateInfo()
        information.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO
        information.size = VkDeviceSize(byteCount)
        information.usage = VkBufferUsageFlags(
            VK_BUFFER_USAGE_STORAGE_BUFFER_BIT.rawValue | VK_BUFFER_USAGE_TRANSFER_SRC_BIT.rawValue
                | VK_BUFFER_USAGE_TRANSFER_DST_BIT.rawValue
                | VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT.rawValue)
        information.sharingMode = VK_SHARING_MODE_EXCLUSIVE
        var made: VkBuffer?
        let families = [device.queueFamily, device.transferFamily]
        let created = families.withUnsafeBufferPointer { families in
            if isCopiedBeside, families[0] != families[1] {
                information.sharingMode = VK_SHARING_MODE_CONCURRENT
                information.queueFamilyIndexCount = 2
                information.pQueueFamilyIndices = families.baseAddress
            }
            return functions.vkCreateBuffer(device.handle, &information, nil, &made)
        }
        try device.check(created, of: "vkCreateBuffer", graph: graph, byteCount: byteCount)
        guard let buffer = made else {
            throw .failed(engine: "vulkan", graph: graph, reason: "no buffer was made")
        }
        var requirements = VkMemoryRequirements()
        functions.vkGetBufferMemoryRequirements(device.handle, buffer, &requirements)
        var memory: VkDeviceMemory?
        var (call, status) = ("vkAllocateMemory", VK_ERROR_OUT_OF_DEVICE_MEMORY)
        var flags: VkMemoryPropertyFlags = 0
        // The next best kind where the best one is used up.
        for type in place.types(of: device.memoryTypes, among: requirements.memoryTypeBits) {
            flags = device.memoryTypes[type]
            var uses = VkMemoryAllocateFlagsInfo()
            uses.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO
            uses.flags = VkMemoryAllocateFlags(VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT.rawValue)
            status = withUnsafePointer(to: &uses) { uses in
                var allocation = VkMemoryAllocateInfo()
                allocation.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO
                allocation.pNext = UnsafeRawPointer(uses)
                allocation.allocationSize = requirements.size
                allocation.memoryTypeIndex = UInt32(type)
                return functions.vkAllocateMemory(device.handle, &allocation, nil, &memory)
            }
            if status == VK_SUCCESS { break }
        }
        var pointer: UnsafeMutableRawPointer?
        if status == VK_SUCCESS {
            call = "vkBindBufferMemory"
            status = functions.vkBindBufferMemory(device.handle, buffer, memory, 0)
        }
        if status == VK_SUCCESS, place != .device {
            call = "vkMapMemory"
            status = functions.vkMapMemory(device.handle, memory, 0, VkDeviceSize.max, 0, &pointer)
        }
        guard status == VK_SUCCESS, let memory else {
            functions.vkDestroyBuffer(device.handle, buffer, nil)
            if let memory { functions.vkFreeMemory(device.handle, memory, nil) }
            try device.check(status, of: call, graph: graph, byteCount: byteCount)
            throw .failed(engine: "vulkan", graph: graph, reason: "no memory was given")
        }
        var question = VkBufferDeviceAddressInfo()
        question.sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO
        question.buffer = buffer
        address = functions.vkGetBufferDeviceAddress(device.handle, &question)
        self.buffer = buffer
        self.memory = memory
        self.pointer = pointer
        let isOwn = flags & DeviceBuffer.Place.ownMemory != 0
        ownByteCount = place == .device && isOwn ? Int(requirements.size) : 0
        device.memory.withLock { $0.add(ownByteCount) }
    }

    deinit {
        if device.isUnanswering { return }
        device.memory.withLock { $0.add(-ownByteCount) }
        device.functions.vkDestroyBuffer(device.handle, buffer, nil)
        device.functions.vkFreeMemory(device.handle, memory, nil)
    }
}

extension DeviceBuffer {
    /// The bytes of one allocation that several things share.
    private static let sharedByteCount = 256 << 20

    /// Memory for several things, one after the other in few allocations; what is larger than those has its own.
    ///
    /// - Throws: ``EngineError/noDeviceMemory(engine:device:graph:byteCount:)``.
    static func places(
        for byteCounts: [Int], in place: Place, of device: VulkanDevice, graph: String,
        isCopiedBeside: Bool = false
    ) throws(EngineError) -> [(buffer: DeviceBuffer, offset: Int)] {
        var ends: [Int] = []
        let shares = byteCounts.map { byteCount in
            if let last = ends.last, last + byteCount <= sharedByteCount {
                ends[ends.count - 1] += byteCount
                return (index: ends.count - 1, offset: last)
            }
            ends.append(byteCount)
            return (index: ends.count - 1, offset: 0)
        }
        var buffers: [DeviceBuffer] = []
        for end in ends {
            buffers.append(
                try DeviceBuffer(
                    byteCount: end, in: place, of: device, graph: graph, isCopiedBeside: isCopiedBeside))
        }
        return shares.map { (buffers[$0.index], $0.offset) }
    }
}

extension DeviceBuffer.Place {
    /// The bit of kinds that are the device's own.
    fileprivate static let ownMemory = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT.rawValue

    /// The numbers of the kinds of memory that will do, the best first: the machine's, where the device's own is used up.
    ///
    /// - Parameters:
    ///   - kinds: The properties of each.
    ///   - bits: Those that are possible, a bit each.
    func types(of kinds: [VkMemoryPropertyFlags], among bits: UInt32) -> [Int] {
        let local = Self.ownMemory
        // They are only for who asks for their feature.
        let barred =
            VK_MEMORY_PROPERTY_DEVICE_COHERENT_BIT_AMD.rawValue
            | VK_MEMORY_PROPERTY_DEVICE_UNCACHED_BIT_AMD.rawValue
        let visible = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT.rawValue
        let coherent = VK_MEMORY_PROPERTY_HOST_COHERENT_BIT.rawValue
        let cached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT.rawValue
        let (needed, wished, unwished): (UInt32, UInt32, UInt32) =
            switch self {
            case .device: (0, local, visible)
            case .staging: (visible | coherent, 0, local | cached)
            case .results: (visible | coherent, cached, local)
            }
        func rank(_ flags: UInt32) -> Int {
            (flags & wished == wished ? 0 : 4) + (flags & unwished).nonzeroBitCount
        }
        func isFitting(_ flags: UInt32) -> Bool { flags & needed == needed && flags & barred == 0 }
        return kinds.indices
            .filter { bits >> $0 & 1 == 1 && isFitting(kinds[$0]) }
            .sorted { rank(kinds[$0]) < rank(kinds[$1]) }
    }
}
