// Opens Vulkan's loader when it is first wanted, so that a program runs, and can say what is missing, on a machine
// without a GPU's driver.
#ifndef EASEL_VULKAN_LOADER_H
#define EASEL_VULKAN_LOADER_H

#ifndef VK_NO_PROTOTYPES
#define VK_NO_PROTOTYPES
#endif
#include <vulkan/vulkan.h>

// What headers from before June 2023 do not have yet; the names and numbers are the extension's.
#ifndef VK_KHR_cooperative_matrix
static const VkStructureType VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR =
    (VkStructureType)1000506000;
static const VkStructureType VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR = (VkStructureType)1000506001;
typedef enum { VK_COMPONENT_TYPE_FLOAT16_KHR = 0, VK_COMPONENT_TYPE_FLOAT32_KHR = 1 } VkComponentTypeKHR;
typedef enum { VK_SCOPE_SUBGROUP_KHR = 3 } VkScopeKHR;
typedef struct {
    VkStructureType sType;
    void *pNext;
    VkBool32 cooperativeMatrix;
    VkBool32 cooperativeMatrixRobustBufferAccess;
} VkPhysicalDeviceCooperativeMatrixFeaturesKHR;
typedef struct {
    VkStructureType sType;
    void *pNext;
    uint32_t MSize;
    uint32_t NSize;
    uint32_t KSize;
    VkComponentTypeKHR AType;
    VkComponentTypeKHR BType;
    VkComponentTypeKHR CType;
    VkComponentTypeKHR ResultType;
    VkBool32 saturatingAccumulation;
    VkScopeKHR scope;
} VkCooperativeMatrixPropertiesKHR;
typedef VkResult(VKAPI_PTR *PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR)(
    VkPhysicalDevice, uint32_t *, VkCooperativeMatrixPropertiesKHR *);
#endif

// The functions that need no instance, those of an instance and those of a device.
#define EASEL_VULKAN_GLOBAL_FUNCTIONS(X) \
    X(vkCreateInstance) \
    X(vkEnumerateInstanceVersion) \
    X(vkEnumerateInstanceLayerProperties) \
    X(vkEnumerateInstanceExtensionProperties)
#define EASEL_VULKAN_INSTANCE_FUNCTIONS(X) \
    X(vkEnumeratePhysicalDevices) \
    X(vkGetPhysicalDeviceProperties2) \
    X(vkGetPhysicalDeviceFeatures2) \
    X(vkGetPhysicalDeviceMemoryProperties2) \
    X(vkGetPhysicalDeviceQueueFamilyProperties) \
    X(vkEnumerateDeviceExtensionProperties) \
    X(vkCreateDevice) \
    X(vkGetDeviceProcAddr)
#define EASEL_VULKAN_DEVICE_FUNCTIONS(X) \
    X(vkDestroyDevice) \
    X(vkGetDeviceQueue) \
    X(vkQueueSubmit) \
    X(vkQueueWaitIdle) \
    X(vkAllocateMemory) \
    X(vkFreeMemory) \
    X(vkMapMemory) \
    X(vkCreateBuffer) \
    X(vkDestroyBuffer) \
    X(vkGetBufferMemoryRequirements) \
    X(vkBindBufferMemory) \
    X(vkGetBufferDeviceAddress) \
    X(vkCreateShaderModule) \
    X(vkDestroyShaderModule) \
    X(vkCreatePipelineLayout) \
    X(vkDestroyPipelineLayout) \
    X(vkCreateComputePipelines) \
    X(vkDestroyPipeline) \
    X(vkCreateCommandPool) \
    X(vkDestroyCommandPool) \
    X(vkAllocateCommandBuffers) \
    X(vkBeginCommandBuffer) \
    X(vkEndCommandBuffer) \
    X(vkCmdBindPipeline) \
    X(vkCmdPushConstants) \
    X(vkCmdDispatch) \
    X(vkCmdCopyBuffer) \
    X(vkCmdPipelineBarrier) \
    X(vkCreateQueryPool) \
    X(vkDestroyQueryPool) \
    X(vkCmdResetQueryPool) \
    X(vkCmdWriteTimestamp) \
    X(vkGetQueryPoolResults) \
    X(vkCreateSemaphore) \
    X(vkDestroySemaphore) \
    X(vkCreateFence) \
    X(vkDestroyFence) \
    X(vkResetFences) \
    X(vkWaitForFences)

typedef struct {
    PFN_vkGetInstanceProcAddr vkGetInstanceProcAddr;
#define EASEL_DECLARE(name) PFN_##name name;
    EASEL_VULKAN_GLOBAL_FUNCTIONS(EASEL_DECLARE)
    EASEL_VULKAN_INSTANCE_FUNCTIONS(EASEL_DECLARE)
    // There only where the extension VK_EXT_debug_utils is on.
    EASEL_DECLARE(vkCreateDebugUtilsMessengerEXT)
    // There only where a driver has the extension VK_KHR_cooperative_matrix.
    EASEL_DECLARE(vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR)
#undef EASEL_DECLARE
} easel_vulkan;

typedef struct {
#define EASEL_DECLARE(name) PFN_##name name;
    EASEL_VULKAN_DEVICE_FUNCTIONS(EASEL_DECLARE)
    // There only where the extension VK_KHR_pipeline_executable_properties is on.
    EASEL_DECLARE(vkGetPipelineExecutablePropertiesKHR)
    EASEL_DECLARE(vkGetPipelineExecutableStatisticsKHR)
#undef EASEL_DECLARE
} easel_vulkan_device;

// Opens the loader that the environment names in EASEL_VULKAN_LIBRARY, else the system's, and fills in the functions
// that need no instance. Returns NULL, or why it could not: a text that stays valid until the next call.
const char *easel_vulkan_load(easel_vulkan *library);

// Fills in the functions of an instance. Returns the name of one that is missing, or NULL.
const char *easel_vulkan_load_instance(easel_vulkan *library, VkInstance instance);

// Fills in the functions of a device. Returns the name of one that is missing, or NULL.
const char *easel_vulkan_load_device(
    const easel_vulkan *library, VkDevice device, easel_vulkan_device *functions);

#endif
