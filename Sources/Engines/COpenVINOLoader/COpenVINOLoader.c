// For dladdr.
#define _GNU_SOURCE
#include "COpenVINOLoader.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#ifdef __APPLE__
static const char *const candidates[] = {
    EASEL_OPENVINO_DIRECTORY "/libopenvino_c.dylib",
    "libopenvino_c.dylib",
    "/opt/homebrew/lib/libopenvino_c.dylib",
    "/usr/local/lib/libopenvino_c.dylib",
};
#else
static const char *const candidates[] = {
    EASEL_OPENVINO_DIRECTORY "/libopenvino_c.so",
    "libopenvino_c.so",
};
#endif

const char *easel_openvino_load(easel_openvino *library) {
    static char message[512];
    const char *chosen = getenv("EASEL_OPENVINO_LIBRARY");
    void *handle = chosen ? dlopen(chosen, RTLD_NOW | RTLD_LOCAL) : NULL;
    for (size_t i = 0; chosen == NULL && handle == NULL && i < sizeof candidates / sizeof *candidates; i++)
        handle = dlopen(candidates[i], RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL) {
        snprintf(message, sizeof message, "its library could not be opened (%s)", dlerror());
        return message;
    }
#define EASEL_RESOLVE(name) \
    library->name = (__typeof__(&name))dlsym(handle, #name); \
    if (library->name == NULL) { \
        snprintf(message, sizeof message, "its library has no function %s", #name); \
        return message; \
    }
    EASEL_OPENVINO_FUNCTIONS(EASEL_RESOLVE)
#undef EASEL_RESOLVE
    return NULL;
}

#ifdef __APPLE__
#define EASEL_OPERATIONS "libEaselOpenVINOOperations.dylib"
#else
#define EASEL_OPERATIONS "libEaselOpenVINOOperations.so"
#endif

bool easel_openvino_add_operations(const easel_openvino *library, const ov_core_t *core) {
    Dl_info place;
    if (dladdr((void *)easel_openvino_add_operations, &place) == 0 || place.dli_fname == NULL) return false;
    char path[4096];
    // The program's own name may be one that the shell found.
    if (realpath(strchr(place.dli_fname, '/') ? place.dli_fname : "/proc/self/exe", path) == NULL) return false;
    char *name = strrchr(path, '/') + 1;
    if (name - path + sizeof EASEL_OPERATIONS > sizeof path) return false;
    strcpy(name, EASEL_OPERATIONS);
    return access(path, R_OK) == 0 && library->ov_core_add_extension(core, path) == OK;
}

ov_status_e easel_openvino_compile(
    const easel_openvino *library, const ov_core_t *core, const ov_model_t *model, const char *device,
    const char *precision, const char *threads, ov_compiled_model_t **compiled) {
    // The last two pairs are the CPU's: other devices refuse a number of threads. What is multiplied with integers is not
    // rounded to integers too, unless the graph says so.
    const int properties = strcmp(device, "CPU") == 0 ? 10 : 6;
    return library->ov_core_compile_model(
        core, model, device, properties, compiled,
        "PERFORMANCE_HINT", "LATENCY", "NUM_STREAMS", "1", "INFERENCE_PRECISION_HINT", precision,
        "INFERENCE_NUM_THREADS", threads, "DYNAMIC_QUANTIZATION_GROUP_SIZE", "0");
}

bool easel_processor_has_bfloat16(void) {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512bf16");
#else
    return false;
#endif
}

bool easel_processor_sums_integers(void) {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512vnni") || __builtin_cpu_supports("avxvnni");
#else
    return true;
#endif
}

void easel_return_freed_memory(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
