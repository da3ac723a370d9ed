import CVulkanLoader
import EngineInterface

/// What a driver's compiler made of a kernel, as the driver says (VK_KHR_pipeline_executable_properties).
package struct KernelStatistics: Sendable {
    static let `extension` = "VK_KHR_pipeline_executable_properties"

    /// The shader's name and its numbers: "matrix_multiply.f16".
    package let shader: String
    package let constants: [Int32]
    /// By the driver's names, such as "Register Count"; numbers are written out.
    package let statistics: [(name: String, value: String)]
}

extension VulkanEngine {
    /// Of each kernel that was made so far; none where the device was opened without, or its driver does not say.
    package func kernelStatistics() -> [KernelStatistics] {
        guard device.capturesStatistics, !device.isLost else { return [] }
        let all = device.pipelineLock.withLock {
            device.pipelines.map { kernel, pipeline in
                KernelStatistics(
                    shader: kernel.file, constants: kernel.constants,
                    statistics: device.statistics(of: pipeline))
            }
        }
        return all.sorted {
            $0.shader == $1.shader
                ? $0.constants.lexicographicallyPrecedes($1.constants) : $0.shader < $1.shader
        }
    }
}

extension VulkanDevice {
    /// Of all the programs that a pipeline was made into, one after the other.
    fileprivate func statistics(of pipeline: VkPipeline) -> [(name: String, value: String)] {
        guard let list = functions.vkGetPipelineExecutablePropertiesKHR,
            let describe = functions.vkGetPipelineExecutableStatisticsKHR
        else { return [] }
        var whole = VkPipelineInfoKHR()
        whole.sType = VK_STRUCTURE_TYPE_PIPELINE_INFO_KHR
        whole.pipeline = pipeline
        var program = VkPipelineExecutablePropertiesKHR()
        program.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_PROPERTIES_KHR
        let count = listed(as: program) { list(handle, &whole, $0, $1) }.count
        var empty = VkPipelineExecutableStatisticKHR()
        empty.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_STATISTIC_KHR
        return (0..<count).flatMap { index in
            var one = VkPipelineExecutableInfoKHR()
            one.sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INFO_KHR
            one.pipeline = pipeline
            one.executableIndex = UInt32(index)
            return listed(as: empty) { describe(handle, &one, $0, $1) }.map { (text($0.name), $0.number) }
        }
    }
}

extension VkPipelineExecutableStatisticKHR {
    fileprivate var number: String {
        switch format {
        case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_BOOL32_KHR: value.b32 == VK_TRUE ? "true" : "false"
        case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_INT64_KHR: "\(value.i64)"
        case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_UINT64_KHR: "\(value.u64)"
        case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_FLOAT64_KHR: "\(value.f64)"
        default: "format \(format.rawValue)"
        }
    }
}

extension PhysicalDevice {
    /// Whether its driver has the extension and its feature.
    var offersStatistics: Bool {
        guard extensions.contains(KernelStatistics.extension) else { return false }
        var statistics = VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR()
        statistics.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR
        var features = VkPhysicalDeviceFeatures2()
        features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2
        withUnsafeMutablePointer(to: &statistics) {
            features.pNext = UnsafeMutableRawPointer($0)
            instance.functions.vkGetPhysicalDeviceFeatures2(handle, &features)
        }
        return statistics.pipelineExecutableInfo == VK_TRUE
    }
}
