import CVulkanLoader
import EngineInterface
import Synchronization

/// Vulkan's library, opened once, and what it was asked to say.
final class VulkanInstance: @unchecked Sendable {
    let functions: easel_vulkan
    private let handle: VkInstance
    /// What the validation layers objected to; nil where they are not on.
    let objections: Objections?

    /// The library, or why there is none.
    static let shared = Result<VulkanInstance, EngineError> { () throws(EngineError) in
        try VulkanInstance(isValidating: false)
    }

    /// The oldest version that the engine works with: 1.2, in which shaders can hold addresses.
    static let version: UInt32 = 1 << 22 | 2 << 12

    /// - Parameter isValidating: Whether each call is checked by Khronos' validation layer, for tests.
    /// - Throws: ``EngineError/unavailable(engine:reason:remedy:)``.
    init(isValidating: Bool) throws(EngineError) {
        var functions = easel_vulkan()
        if let reason = easel_vulkan_load(&functions) { throw .noVulkan(String(cString: reason)) }
        var version: UInt32 = 0
        guard functions.vkEnumerateInstanceVersion(&version) == VK_SUCCESS, version >= Self.version else {
            throw .noVulkan("its library is older than Vulkan 1.2")
        }
        let offered = listed { functions.vkEnumerateInstanceExtensionProperties(nil, $0, $1) }
            .map { text($0.extensionName) }
        var extensions = ["VK_KHR_portability_enumeration"].filter(offered.contains)
        var layers: [String] = []
        if isValidating {
            let validation = "VK_LAYER_KHRONOS_validation"
            let installed = listed { functions.vkEnumerateInstanceLayerProperties($0, $1) }
                .map { text($0.layerName) }
            guard installed.contains(validation) else {
                throw .noVulkan("\(validation) is not installed (Debian: vulkan-validationlayers)")
            }
            layers.append(validation)
            extensions.append("VK_EXT_debug_utils")
        }
        var instance: VkInstance?
        let status = CallMemory.with { memory in
            var application = VkApplicationInfo()
            application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO
            application.apiVersion = Self.version
            var information = VkInstanceCreateInfo()
            information.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO
            information.pApplicationInfo = UnsafePointer(memory.address(of: application))
            information.enabledExtensionCount = UInt32(extensions.count)
            information.ppEnabledExtensionNames = memory.address(of: extensions)
            information.enabledLayerCount = UInt32(layers.count)
            information.ppEnabledLayerNames = memory.address(of: layers)
            if extensions.contains("VK_KHR_portability_enumeration") {
                information.flags = VkInstanceCreateFlags(
                    VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR.rawValue)
            }
            return functions.vkCreateInstance(&information, nil, &instance)
        }
        guard status == VK_SUCCESS, let instance else {
            throw .noVulkan("no driver could be started (\(status.name))")
        }
        if let missing = easel_vulkan_load_instance(&functions, instance) {
            throw .noVulkan("its library has no function \(String(cString: missing))")
        }
        self.functions = functions
        handle = instance
        objections = isValidating ? Objections(functions, instance) : nil
    }

    /// The devices, in the order that the drivers name them.
    func devices() -> [PhysicalDevice] {
        listed { self.functions.vkEnumeratePhysicalDevices(self.handle, $0, $1) }
            .compactMap { $0 }.map { PhysicalDevice($0, of: self) }
    }

    /// The texts that the validation layers call back with.
    final class Objections: Sendable {
        private let messages = Mutex<[String]>([])
        var all: [String] { messages.withLock { $0 } }

        fileprivate init(_ functions: easel_vulkan, _ instance: VkInstance) {
            var information = VkDebugUtilsMessengerCreateInfoEXT()
            information.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT
            information.messageSeverity =
                VkDebugUtilsMessageSeverityFlagsEXT(
                    VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT.rawValue
                        | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT.rawValue)
            information.messageType = VkDebugUtilsMessageTypeFlagsEXT(
                VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT.rawValue
                    | VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT.rawValue)
            information.pfnUserCallback = { _, _, data, user in
                if let message = data?.pointee.pMessage, let user {
                    let text = String(cString: message)
                    Unmanaged<Objections>.fromOpaque(user).takeUnretainedValue().messages.withLock {
                        $0.append(text)
                    }
                }
                return VkBool32(VK_FALSE)
            }
            // Lives as long as the instance, which is as long as the process.
            information.pUserData = Unmanaged.passRetained(self).toOpaque()
            var messenger: VkDebugUtilsMessengerEXT?
            _ = functions.vkCreateDebugUtilsMessengerEXT?(instance, &information, nil, &messenger)
        }
    }
}

extension EngineError {
    static func noVulkan(_ reason: String) -> EngineError {
        .unavailable(
            engine: "vulkan", reason: reason,
            remedy: "Install the GPU's driver with Vulkan 1.2 or later, or compute on the CPU (--device cpu)."
        )
    }
}

/// What a function of Vulkan lists that first says how many there are.
func listed<Element>(
    _ list: (UnsafeMutablePointer<UInt32>?, UnsafeMutablePointer<Element>?) -> VkResult
) -> [Element] {
    var count: UInt32 = 0
    guard list(&count, nil) == VK_SUCCESS, count > 0 else { return [] }
    return [Element](unsafeUninitializedCapacity: Int(count)) { buffer, initialized in
        // What the function does not fill in is zeros.
        UnsafeMutableRawBufferPointer(buffer).initializeMemory(as: UInt8.self, repeating: 0)
        let status = list(&count, buffer.baseAddress)
        initialized = status == VK_SUCCESS || status == VK_INCOMPLETE ? min(Int(count), buffer.count) : 0
    }
}

/// What a function of Vulkan lists that must be told before what each element is: its number of type.
func listed<Element>(
    as empty: Element,
    _ list: (UnsafeMutablePointer<UInt32>?, UnsafeMutablePointer<Element>?) -> VkResult
) -> [Element] {
    var count: UInt32 = 0
    guard list(&count, nil) == VK_SUCCESS, count > 0 else { return [] }
    var all = [Element](repeating: empty, count: Int(count))
    let status = all.withUnsafeMutableBufferPointer { list(&count, $0.baseAddress) }
    guard status == VK_SUCCESS || status == VK_INCOMPLETE else { return [] }
    return Array(all.prefix(Int(count)))
}

/// The text in an array of characters, which Swift sees as a tuple.
func text<Characters>(_ characters: Characters) -> String {
    withUnsafeBytes(of: characters) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}

extension VkResult {
    /// What the specification calls it, for those that are met.
    var name: String {
        switch self {
        case VK_ERROR_OUT_OF_HOST_MEMORY: "out of host memory"
        case VK_ERROR_OUT_OF_DEVICE_MEMORY: "out of device memory"
        case VK_ERROR_INITIALIZATION_FAILED: "initialization failed"
        case VK_ERROR_DEVICE_LOST: "device lost"
        case VK_ERROR_INCOMPATIBLE_DRIVER: "incompatible driver"
        case VK_ERROR_LAYER_NOT_PRESENT: "layer not present"
        case VK_ERROR_EXTENSION_NOT_PRESENT: "extension not present"
        case VK_ERROR_FEATURE_NOT_PRESENT: "feature not present"
        case VK_ERROR_TOO_MANY_OBJECTS: "too many objects"
        case VK_ERROR_MEMORY_MAP_FAILED: "memory map failed"
        case VK_ERROR_UNKNOWN: "unknown error"
        default: "VkResult \(rawValue)"
        }
    }
}
