import CVulkanLoader
import Checkpoints

/// A processor that Vulkan's drivers know, as it is before it is opened.
struct PhysicalDevice: @unchecked Sendable {
    let handle: VkPhysicalDevice
    let instance: VulkanInstance
    let name: String
    let kind: VulkanDeviceDescription.Kind
    let driver: String
    /// Another one for another device, and with another driver or another version of it.
    let identifier: String
    private let apiVersion: UInt32
    /// The bytes of the largest memory of its own; a processor without any has the machine's.
    let memoryByteCount: Int
    /// The first family of queues that computes.
    let queueFamily: UInt32?
    /// A family whose queues do nothing but copy, beside those that compute.
    let transferFamily: UInt32?
    /// The bytes of memory that the invocations of a workgroup can share.
    let sharedMemoryByteCount: Int
    /// How many invocations a workgroup has at most.
    let largestWorkgroup: Int
    /// How many workgroups a dispatch has at most on each axis.
    let mostWorkgroups: Workgroups
    let largestAllocation: Int
    /// The names of the extensions that its driver has.
    let extensions: Set<String>
    /// The clock of the queue that computes; nil where it has none.
    let clock: Clock?
    private let hasAddresses: Bool
    /// Whether numbers of 16 bits can be stored.
    let hasHalfStorage: Bool
    /// The matrices that its subgroups multiply together, in the order in which they are tried; none where they do not, or not
    /// as the shaders do.
    let cooperativeMatrices: [CooperativeMatrices]

    init(_ handle: VkPhysicalDevice, of instance: VulkanInstance) {
        self.handle = handle
        self.instance = instance
        let functions = instance.functions
        var drivers = VkPhysicalDeviceDriverProperties()
        drivers.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES
        var maintenance = VkPhysicalDeviceMaintenance3Properties()
        maintenance.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES
        var properties = VkPhysicalDeviceProperties2()
        properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2
        withUnsafeMutablePointer(to: &drivers) { drivers in
            withUnsafeMutablePointer(to: &maintenance) { maintenance in
                maintenance.pointee.pNext = UnsafeMutableRawPointer(drivers)
                properties.pNext = UnsafeMutableRawPointer(maintenance)
                functions.vkGetPhysicalDeviceProperties2(handle, &properties)
            }
        }
        name = text(properties.properties.deviceName)
        driver = "\(text(drivers.driverName)) \(text(drivers.driverInfo))"
        kind = VulkanDeviceDescription.Kind(properties.properties.deviceType)
        let numbers = [properties.properties.vendorID, properties.properties.deviceID]
        let cache = withUnsafeBytes(of: properties.properties.pipelineCacheUUID) { $0.hexadecimal }
        // Drivers may have one number for all the devices that they are for.
        identifier = (numbers.map { String($0, radix: 16) } + [cache]).joined(separator: "-")
        apiVersion = properties.properties.apiVersion
        sharedMemoryByteCount = Int(properties.properties.limits.maxComputeSharedMemorySize)
        // Of both: the shaders' workgroups are rows.
        largestWorkgroup = Int(
            min(
                properties.properties.limits.maxComputeWorkGroupInvocations,
                properties.properties.limits.maxComputeWorkGroupSize.0))
        let most = properties.properties.limits.maxComputeWorkGroupCount
        mostWorkgroups = Workgroups(Int(most.0), Int(most.1), Int(most.2))
        largestAllocation = Int(clamping: maintenance.maxMemoryAllocationSize)

        var eleven = VkPhysicalDeviceVulkan11Features()
        eleven.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES
        var twelve = VkPhysicalDeviceVulkan12Features()
        twelve.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES
        if apiVersion >= VulkanInstance.version {
            var features = VkPhysicalDeviceFeatures2()
            features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2
            withUnsafeMutablePointer(to: &twelve) { twelve in
                withUnsafeMutablePointer(to: &eleven) { eleven in
                    eleven.pointee.pNext = UnsafeMutableRawPointer(twelve)
                    features.pNext = UnsafeMutableRawPointer(eleven)
                    functions.vkGetPhysicalDeviceFeatures2(handle, &features)
                }
            }
        }
        hasAddresses = twelve.bufferDeviceAddress == VK_TRUE
        hasHalfStorage = eleven.storageBuffer16BitAccess == VK_TRUE
        let isReady =
            hasHalfStorage && twelve.shaderFloat16 == VK_TRUE && twelve.vulkanMemoryModel == VK_TRUE
        let extensions = Set(
            listed { functions.vkEnumerateDeviceExtensionProperties(handle, nil, $0, $1) }
                .map { text($0.extensionName) })
        self.extensions = extensions
        cooperativeMatrices =
            isReady && extensions.isSuperset(of: CooperativeMatrices.extensions)
            ? CooperativeMatrices.all(of: handle, instance) : []

        var familyCount: UInt32 = 0
        functions.vkGetPhysicalDeviceQueueFamilyProperties(handle, &familyCount, nil)
        var families = [VkQueueFamilyProperties](
            repeating: VkQueueFamilyProperties(), count: Int(familyCount))
        functions.vkGetPhysicalDeviceQueueFamilyProperties(handle, &familyCount, &families)
        let computing = families.firstIndex {
            $0.queueFlags & VkQueueFlags(VK_QUEUE_COMPUTE_BIT.rawValue) != 0
        }
        queueFamily = computing.map(UInt32.init)
        clock = computing.flatMap {
            Clock(
                period: properties.properties.limits.timestampPeriod,
                validBits: families[$0].timestampValidBits)
        }
        transferFamily = families.firstIndex { family in
            func does(_ work: VkQueueFlagBits) -> Bool {
                family.queueFlags & VkQueueFlags(work.rawValue) != 0
            }
            return does(VK_QUEUE_TRANSFER_BIT) && !does(VK_QUEUE_COMPUTE_BIT) && !does(VK_QUEUE_GRAPHICS_BIT)
        }.map(UInt32.init)

        let heaps = Self.memory(of: handle, instance).heaps
        let own = heaps.filter { $0.flags & VkMemoryHeapFlags(VK_MEMORY_HEAP_DEVICE_LOCAL_BIT.rawValue) != 0 }
        memoryByteCount = (own.isEmpty ? heaps : own).map { Int(clamping: $0.size) }.max() ?? 0
    }

    /// The kinds of memory and the heaps that they are of.
    static func memory(
        of handle: VkPhysicalDevice, _ instance: VulkanInstance
    ) -> (types: [VkMemoryType], heaps: [VkMemoryHeap]) {
        var properties = VkPhysicalDeviceMemoryProperties2()
        properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2
        instance.functions.vkGetPhysicalDeviceMemoryProperties2(handle, &properties)
        let memory = properties.memoryProperties
        let types = withUnsafeBytes(of: memory.memoryTypes) {
            Array($0.bindMemory(to: VkMemoryType.self).prefix(Int(memory.memoryTypeCount)))
        }
        let heaps = withUnsafeBytes(of: memory.memoryHeaps) {
            Array($0.bindMemory(to: VkMemoryHeap.self).prefix(Int(memory.memoryHeapCount)))
        }
        return (types, heaps)
    }

    /// The invocations of the largest workgroups that every device is to have.
    private static let neededWorkgroup = 256

    /// What the engine needs and the device or its driver does not have; nil where all is there.
    var missing: String? {
        if apiVersion < VulkanInstance.version { return "its driver is older than Vulkan 1.2" }
        if queueFamily == nil { return "it does not compute" }
        if largestWorkgroup < Self.neededWorkgroup {
            return
                "its workgroups have \(largestWorkgroup) invocations at most, and \(Self.neededWorkgroup) are needed"
        }
        if !hasAddresses { return "its driver has no buffer addresses (bufferDeviceAddress)" }
        return nil
    }

    var description: VulkanDeviceDescription {
        VulkanDeviceDescription(
            name: name, kind: kind, driver: driver, memoryByteCount: memoryByteCount,
            precisions: hasHalfStorage ? [.float16, .float32] : [.float32], missing: missing)
    }
}
