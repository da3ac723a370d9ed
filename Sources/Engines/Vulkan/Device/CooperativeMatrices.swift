import CVulkanLoader

/// The matrices that a device's subgroups multiply together: f16 factors of M × K and K × N, f32 sums.
struct CooperativeMatrices: Sendable, Hashable {
    /// What a device has on that uses them: all subgroups of a workgroup must be full.
    static let extensions = ["VK_KHR_cooperative_matrix", "VK_EXT_subgroup_size_control"]

    let m, n, k: Int
    /// The invocations of a subgroup.
    let subgroup: SubgroupSize
    var subgroupSize: Int { subgroup.count }

    /// How many invocations a subgroup has.
    struct SubgroupSize: Hashable {
        let count: Int
        /// Whether kernels ask for it: a driver that has several chooses itself else.
        let isRequired: Bool
    }

    init(m: Int, n: Int, k: Int, subgroup: SubgroupSize) {
        self.m = m
        self.n = n
        self.k = k
        self.subgroup = subgroup
    }

    /// Those that the shaders can take, of a device that has the extensions: the largest for each size of subgroups, in the
    /// order in which they are tried.
    static func all(of device: VkPhysicalDevice, _ instance: VulkanInstance) -> [CooperativeMatrices] {
        let functions = instance.functions
        var eleven = VkPhysicalDeviceVulkan11Properties()
        eleven.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES
        var sizes = VkPhysicalDeviceSubgroupSizeControlProperties()
        sizes.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES
        var properties = VkPhysicalDeviceProperties2()
        properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2
        withUnsafeMutablePointer(to: &sizes) { sizes in
            withUnsafeMutablePointer(to: &eleven) { eleven in
                eleven.pointee.pNext = UnsafeMutableRawPointer(sizes)
                properties.pNext = UnsafeMutableRawPointer(eleven)
                functions.vkGetPhysicalDeviceProperties2(device, &properties)
            }
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
        else { return [] }
        let fitting = offered(by: device, of: instance).filter { shape in
            shape.AType == VK_COMPONENT_TYPE_FLOAT16_KHR && shape.BType == VK_COMPONENT_TYPE_FLOAT16_KHR
                && shape.CType == VK_COMPONENT_TYPE_FLOAT32_KHR
                && shape.ResultType == VK_COMPONENT_TYPE_FLOAT32_KHR && shape.scope == VK_SCOPE_SUBGROUP_KHR
                && shape.saturatingAccumulation == VK_FALSE
                && [shape.MSize, shape.NSize, shape.KSize].allSatisfy { $0 == 8 || $0 == 16 }
        }
        let canRequire =
            subgroups.subgroupSizeControl == VK_TRUE
            && sizes.requiredSubgroupSizeStages & UInt32(VK_SHADER_STAGE_COMPUTE_BIT.rawValue) != 0
        return subgroupSizes(
            own: Int(eleven.subgroupSize), least: Int(canRequire ? sizes.minSubgroupSize : 0),
            most: Int(canRequire ? sizes.maxSubgroupSize : 0)
        ).compactMap { size in
            fitting.filter { size.count % Int($0.MSize) == 0 }
                .max { $0.MSize * $0.NSize * $0.KSize < $1.MSize * $1.NSize * $1.KSize }
                .map {
                    CooperativeMatrices(
                        m: Int($0.MSize), n: Int($0.NSize), k: Int($0.KSize), subgroup: size)
                }
        }
    }

    /// The sizes of subgroups to try, the best first: the device's own, which is asked for where it has others, and then
    /// those, from the largest on.
    ///
    /// - Parameters:
    ///   - own: What the driver takes if it is not asked.
    ///   - least: The smallest and the largest that it can be asked for, both powers of two; zero where it cannot.
    static func subgroupSizes(own: Int, least: Int, most: Int) -> [SubgroupSize] {
        let unasked = SubgroupSize(count: own, isRequired: false)
        guard 0 < least, least < most else { return [unasked] }
        let asked = sequence(first: most) { $0 > least ? $0 / 2 : nil }
            .map { SubgroupSize(count: $0, isRequired: true) }
        return asked.filter { $0.count == own } + [unasked] + asked.filter { $0.count != own }
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
