import CVulkanLoader
import EngineInterface

/// A processor that Vulkan's drivers know, for someone to choose one.
public struct VulkanDeviceDescription: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable {
        case discrete, integrated, virtual
        /// A program that does a GPU's work on the CPU.
        case software
        case other

        init(_ type: VkPhysicalDeviceType) {
            self =
                switch type {
                case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU: .discrete
                case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU: .integrated
                case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU: .virtual
                case VK_PHYSICAL_DEVICE_TYPE_CPU: .software
                default: .other
                }
        }
    }

    public let name: String
    public let kind: Kind
    /// The driver's name and version.
    public let driver: String
    /// The bytes of the largest memory that it has.
    public let memoryByteCount: Int
    /// What it computes in, the fastest first.
    public let precisions: [Precision]
    /// What the engine needs and the device does not have; nil for one that can be used.
    public let missing: String?
}
