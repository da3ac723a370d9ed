import CVulkanLoader

/// The matrices that a device's subgroups multiply together: f16 factors of M × K and K × N, f32 sums.
struct CooperativeMatrices: Sendable, Hashable {
    /// What a device has on that uses them: all subgroups of a workgroup must be full.
    static let extensions = ["VK_KHR_cooperative_matrix", "VK_EXT_subgroup_size_control"]

    let m, n, k: Int
    /// The invocations of a subgroup.
    let subgroupSize: Int

    init(m: Int, n: Int, k: Int, subgroupSize: Int) {
        self.m = m
        self.n = n
        self.k = k
        self.subgroupSize = subgroupSize
    }

    /// The largest of those that the shaders can take, of a device that has the extensions; nil where there are none.
    init?(_ device: VkPhysicalDevice, of instance: VulkanInstance) {
        let functions = instance.functions
        var eleven = VkPhysicalDeviceVulkan11Properties()
        eleven.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES
        var properties = VkPhysicalDeviceProperties2()
        properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2
        withUnsafeMutablePointer(to: &eleven) {
            properties.pNext = UnsafeMutableRawPointer($0)
            functions.vkGetPhysicalDeviceProperties2(device, &properties)
        }
        var matrices = VkPhysicalDeviceCooperativeMatrixFeaturesKHR()
        matrices.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR
        var subgroups = VkPhysicalDeviceSubgroupSizeControlFeatures()
        subgroups.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES
        var features = VkPhysicalDeviceFeatures2()
        features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2
        withUnsafeMutablePointer(to: &subgroups) { subgroups in
            withUnsafeMutablePointer(to: &matrices) { matrices in
                matrices.pointee.pNext = UnsafeMutableRawPointer(subgroups)
                features.pNext = UnsafeMutableRawPointer(matrices)
                functions.vkGetPhysicalDeviceFeatures2(device, &features)
            }
        }
        let needed = [
            VK_SUBGROUP_FEATURE_BASIC_BIT, VK_SUBGROUP_FEATURE_VOTE_BIT, VK_SUBGROUP_FEATURE_SHUFFLE_BIT,
        ].reduce(0) { $0 | $1.rawValue }
        guard matrices.cooperativeMatrix == VK_TRUE, subgroups.computeFullSubgroups == VK_TRUE,
            eleven.subgroupSupportedOperations & needed == needed,
            eleven.subgroupSupportedStages & UInt32(VK_SHADER_STAGE_COMPUTE_BIT.rawValue) != 0
        else { return nil }
        let subgroupSize = Int(eleven.subgroupSize)
        let fitting = Self.offered(by: device, of: instance).filter { shape in
            shape.AType == VK_COMPONENT_TYPE_FLOAT16_KHR && shape.BType == VK_COMPONENT_TYPE_FLOAT16_KHR
                && shape.CType == VK_COMPONENT_TYPE_FLOAT32_KHR
                && shape.ResultType == VK_COMPONENT_TYPE_FLOAT32_KHR && shape.scope == VK_SCOPE_SUBGROUP_KHR
                && shape.saturatingAccumulation == VK_FALSE
                && [shape.MSize, shape.NSize, shape.KSize].allSatisfy { $0 == 8 || $0 == 16 }
                && subgroupSize % Int(shape.MSize) == 0
        }
        guard
            let largest = fitting.max(by: { $0.MSize * $0.NSize * $0.KSize < $1.MSize * $1.NSize * $1.KSize })
        else { return nil }
        self.init(
            m: Int(largest.MSize), n: Int(largest.NSize), k: Int(largest.KSize), subgroupSize: subgroupSize)
    }

    /// All that a device with the extension has, of whatever types.
    static func offered(
        by device: VkPhysicalDevice, of instance: VulkanInstance
    ) -> [VkCooperativeMatrixPropertiesKHR] {
        guard let enumerate = instance.functions.vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR else {
            return []
        }
        var empty = VkCooperativeMatrixPropertiesKHR()
        empty.sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR
        return listed(as: empty) { enumerate(device, $0, $1) }
    }
}
