// Opens OpenVINO's C library when it is first wanted, so that a program runs, and can say what is missing,
// on a machine without it.
#ifndef EASEL_OPENVINO_LOADER_H
#define EASEL_OPENVINO_LOADER_H

#include <openvino/c/openvino.h>
#include <stdbool.h>

// The functions that Easel calls; the variadic ones have a wrapper below.
#define EASEL_OPENVINO_FUNCTIONS(X) \
    X(ov_get_last_err_msg) \
    X(ov_core_create) \
    X(ov_core_free) \
    X(ov_core_add_extension) \
    X(ov_core_get_property) \
    X(ov_core_compile_model) \
    X(ov_core_read_model_from_memory_buffer) \
    X(ov_model_free) \
    X(ov_compiled_model_create_infer_request) \
    X(ov_compiled_model_free) \
    X(ov_infer_request_set_input_tensor_by_index) \
    X(ov_infer_request_set_output_tensor_by_index) \
    X(ov_infer_request_start_async) \
    X(ov_infer_request_wait_for) \
    X(ov_infer_request_cancel) \
    X(ov_infer_request_free) \
    X(ov_tensor_create_from_host_ptr) \
    X(ov_tensor_free) \
    X(ov_free)

typedef struct {
#define EASEL_DECLARE(name) __typeof__(&name) name;
    EASEL_OPENVINO_FUNCTIONS(EASEL_DECLARE)
#undef EASEL_DECLARE
} easel_openvino;

// Fills in the table, from the library that the environment names in EASEL_OPENVINO_LIBRARY, else from the usual
// places. Returns NULL, or why it could not: a text that stays valid until the next call.
const char *easel_openvino_load(easel_openvino *library);

// Compiles with an inference precision ("f32", "bf16", "f16") and, for the CPU, a number of threads ("0": the library's
// own choice).
ov_status_e easel_openvino_compile(
    const easel_openvino *library, const ov_core_t *core, const ov_model_t *model, const char *device,
    const char *precision, const char *threads, ov_compiled_model_t **compiled);

// Adds the operations of Easel's own: a library beside the program, or beside the one that this code is part of. Returns
// whether they are there; they are not for another release of OpenVINO than the one they were built for.
bool easel_openvino_add_operations(const easel_openvino *library, const ov_core_t *core);

// Whether the processor multiplies bfloat16 numbers itself.
bool easel_processor_has_bfloat16(void);

// Whether it adds up products of integers of 8 bits without the pairs of 16 bits that do not hold all of them.
bool easel_processor_sums_integers(void);

// Gives memory that was freed back to the system, where the system's allocator keeps it otherwise.
void easel_return_freed_memory(void);

#endif
