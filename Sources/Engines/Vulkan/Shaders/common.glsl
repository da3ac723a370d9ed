// What all shaders share: the type that numbers are stored as, and where an invocation is.
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_control_flow_attributes : require

#ifdef HALF
#extension GL_EXT_shader_16bit_storage : require
#define NUMBER float16_t
#define NUMBERS f16vec4
#define NUMBER_BYTES 2
#define NUMBERS_BYTES 8
#else
#define NUMBER float
#define NUMBERS vec4
#define NUMBER_BYTES 4
#define NUMBERS_BYTES 16
#endif

layout(buffer_reference, std430, buffer_reference_align = NUMBER_BYTES) readonly buffer Source {
    NUMBER at[];
};
layout(buffer_reference, std430, buffer_reference_align = NUMBERS_BYTES) readonly buffer VectorSource {
    NUMBERS at[];
};
layout(buffer_reference, std430, buffer_reference_align = NUMBER_BYTES) writeonly buffer Target {
    NUMBER at[];
};
layout(buffer_reference, std430, buffer_reference_align = 4) readonly buffer Words {
    uint at[];
};
layout(buffer_reference, std430, buffer_reference_align = 4) writeonly buffer WordTarget {
    uint at[];
};

// What the search for the greatest number begins with. Compilers that take no number for infinite, as Metal's do, make
// anything of an infinity.
const float LEAST = -3.4028234e38;

// The number of an invocation in a dispatch of one axis, which is folded into two where it is long, of workgroups of 256.
uint invocation() {
    return (gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x) * 256 + gl_LocalInvocationID.x;
}

// The number of the workgroup likewise.
uint workgroup() { return gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x; }
