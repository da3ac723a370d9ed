import CVulkanLoader
import EngineInterface

extension VulkanEngine {
    /// What bears on how fast a device computes, of each device: names and what they are.
    ///
    /// - Throws: ``EngineError/unavailable(engine:reason:remedy:)`` where there is no driver.
    package static func deviceFacts() throws -> [[(name: String, value: String)]] {
        try VulkanInstance.shared.get().devices().map(\.facts)
    }
}

extension PhysicalDevice {
    fileprivate var facts: [(name: String, value: String)] {
        var subgroups = VkPhysicalDeviceSubgroupProperties()
        subgroups.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES
        var properties = VkPhysicalDeviceProperties2()
        properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2
        withUnsafeMutablePointer(to: &subgroups) { subgroups in
            properties.pNext = UnsafeMutableRawPointer(subgroups)
            instance.functions.vkGetPhysicalDeviceProperties2(handle, &properties)
        }
        let limits = properties.properties.limits
        let version = properties.properties.apiVersion
        let heaps = Self.memory(of: handle, instance).heaps.map { heap in
            let isOwn = heap.flags & VkMemoryHeapFlags(VK_MEMORY_HEAP_DEVICE_LOCAL_BIT.rawValue) != 0
            return "\(heap.size >> 20) MiB\(isOwn ? " of its own" : "")"
        }
        let bearing = [
            "cooperative", "float16", "float8", "bfloat16", "16bit", "8bit", "subgroup", "integer_dot",
            "pipeline_executable", "memory_budget", "external_memory_host", "workgroup", "memory_model",
            "calibrated_timestamps", "maintenance", "shader_core", "sm_builtins",
        ]
        let extensions = extensions.filter { name in bearing.contains { name.contains($0) } }
        let matrices =
            extensions.contains("VK_KHR_cooperative_matrix")
            ? CooperativeMatrices.offered(by: handle, of: instance).map(\.text) : []
        return [
            ("name", name), ("kind", kind.rawValue), ("driver", driver),
            ("Vulkan", "\(version >> 22).\(version >> 12 & 0x3FF).\(version & 0xFFF)"),
            ("memory", heaps.joined(separator: ", ")),
            ("largest allocation", "\(largestAllocation >> 20) MiB"),
            (
                "subgroup",
                "\(subgroups.subgroupSize) invocations, operations \(subgroups.supportedOperations)"
            ),
            ("shared memory", "\(limits.maxComputeSharedMemorySize) bytes"),
            ("invocations of a workgroup", "\(limits.maxComputeWorkGroupInvocations)"),
            ("bytes of push constants", "\(limits.maxPushConstantsSize)"),
            ("clock", clock.map { "\($0.period) ns, mask \(String($0.mask, radix: 16))" } ?? "none"),
            ("cooperative matrices", matrices.isEmpty ? "none" : matrices.joined(separator: ", ")),
            (
                "of those tried",
                cooperativeMatrices.isEmpty
                    ? "none" : cooperativeMatrices.map(\.text).joined(separator: ", ")
            ),
            ("extensions", extensions.sorted().joined(separator: " ")),
        ]
    }
}

extension CooperativeMatrices {
    fileprivate var text: String {
        "\(m)×\(n)×\(k) by subgroups of \(subgroupSize)\(subgroup.isRequired ? " if asked" : "")"
    }
}

extension VkCooperativeMatrixPropertiesKHR {
    /// M×N×K, the types of left factors, right factors, addends and results, and what holds a matrix together.
    fileprivate var text: String {
        let types = [AType, BType, CType, ResultType].map { Self.name($0.rawValue) }
        let holders: [UInt32: String] = [1: "device", 2: "workgroup", 3: "subgroup", 5: "queue family"]
        return "\(MSize)×\(NSize)×\(KSize) " + types.joined(separator: " ")
            + " \(holders[scope.rawValue] ?? "scope \(scope.rawValue)")"
            + (saturatingAccumulation == VK_TRUE ? " saturating" : "")
    }

    /// By the numbers of VkComponentTypeKHR, of which older headers lack some.
    private static func name(_ type: UInt32) -> String {
        let names = [
            "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32",
            "uint64",
        ]
        if type < names.count { return names[Int(type)] }
        return switch type {
        case 1_000_141_000: "bfloat16"
        case 1_000_491_002: "float8_e4m3"
        case 1_000_491_003: "float8_e5m2"
        default: "type \(type)"
        }
    }
}
