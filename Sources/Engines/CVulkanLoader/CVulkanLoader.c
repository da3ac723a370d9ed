#include "CVulkanLoader.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef __APPLE__
static const char *const candidates[] = {
    "libvulkan.1.dylib",
    "libMoltenVK.dylib",
    "/opt/homebrew/lib/libvulkan.1.dylib",
    "/opt/homebrew/lib/libMoltenVK.dylib",
    "/usr/local/lib/libvulkan.1.dylib",
    "/usr/local/lib/libMoltenVK.dylib",
};
#else
static const char *const candidates[] = {"libvulkan.so.1", "libvulkan.so"};
#endif

const char *easel_vulkan_load(easel_vulkan *library) {
    static char message[512];
    const char *chosen = getenv("EASEL_VULKAN_LIBRARY");
    void *handle = chosen ? dlopen(chosen, RTLD_NOW | RTLD_LOCAL) : NULL;
    for (size_t i = 0; chosen == NULL && handle == NULL && i < sizeof candidates / sizeof *candidates; i++)
        handle = dlopen(candidates[i], RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        snprintf(message, sizeof message, "its library could not be opened (%s)", dlerror());
        return message;
    }
    library->vkGetInstanceProcAddr = (PFN_vkGetInstanceProcAddr)dlsym(handle, "vkGetInstanceProcAddr");
    if (library->vkGetInstanceProcAddr == NULL) return "its library has no function vkGetInstanceProcAddr";
#define EASEL_RESOLVE(name) \
    library->name = (PFN_##name)library->vkGetInstanceProcAddr(NULL, #name); \
    if (library->name == NULL) return "its library has no function " #name;
    EASEL_VULKAN_GLOBAL_FUNCTIONS(EASEL_RESOLVE)
#undef EASEL_RESOLVE
    return NULL;
}

const char *easel_vulkan_load_instance(easel_vulkan *library, VkInstance instance) {
#define EASEL_RESOLVE(name) \
    library->name = (PFN_##name)library->vkGetInstanceProcAddr(instance, #name); \
    if (library->name == NULL) return #name;
    EASEL_VULKAN_INSTANCE_FUNCTIONS(EASEL_RESOLVE)
#undef EASEL_RESOLVE
    library->vkCreateDebugUtilsMessengerEXT = (PFN_vkCreateDebugUtilsMessengerEXT)library->vkGetInstanceProcAddr(
        instance, "vkCreateDebugUtilsMessengerEXT");
    library->vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR =
        (PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR)library->vkGetInstanceProcAddr(
            instance, "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR");
    return NULL;
}

const char *easel_vulkan_load_device(
    const easel_vulkan *library, VkDevice device, easel_vulkan_device *functions) {
#define EASEL_RESOLVE(name) \
    functions->name = (PFN_##name)library->vkGetDeviceProcAddr(device, #name); \
    if (functions->name == NULL) return #name;
    EASEL_VULKAN_DEVICE_FUNCTIONS(EASEL_RESOLVE)
#undef EASEL_RESOLVE
    functions->vkGetPipelineExecutablePropertiesKHR =
        (PFN_vkGetPipelineExecutablePropertiesKHR)library->vkGetDeviceProcAddr(
            device, "vkGetPipelineExecutablePropertiesKHR");
    functions->vkGetPipelineExecutableStatisticsKHR =
        (PFN_vkGetPipelineExecutableStatisticsKHR)library->vkGetDeviceProcAddr(
            device, "vkGetPipelineExecutableStatisticsKHR");
    return NULL;
}
