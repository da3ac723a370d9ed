// Matrices that the invocations of a subgroup hold together: f16 factors, f32 sums.
//
// The extension is NVIDIA's, which every glslc knows; CooperativeModule.swift makes Khronos' of it. Khronos' matrices have a
// use, the left factor, the right one or the sum, by which the devices lay them out, and NVIDIA's have none: here the
// constant that gives a matrix's scope tells its use by its number.
#extension GL_NV_cooperative_matrix : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require

layout(constant_id = 100) const int LEFT_SCOPE = gl_ScopeSubgroup;
layout(constant_id = 101) const int RIGHT_SCOPE = gl_ScopeSubgroup;
layout(constant_id = 102) const int SUM_SCOPE = gl_ScopeSubgroup;

// The invocations of a workgroup, all subgroups of which are full.
layout(local_size_x_id = 0) in;
layout(constant_id = 0) const int INVOCATIONS = 256;
// The sizes of matrices that the device multiplies: M × K by K × N.
layout(constant_id = 1) const int M = 16;
layout(constant_id = 2) const int N = 16;
layout(constant_id = 3) const int K = 16;

#define LEFT_MATRIX fcoopmatNV<16, LEFT_SCOPE, M, K>
#define RIGHT_MATRIX fcoopmatNV<16, RIGHT_SCOPE, K, N>
#define SUM_MATRIX fcoopmatNV<32, SUM_SCOPE, M, N>

// Eight numbers of 16 bits.
layout(buffer_reference, std430, buffer_reference_align = 16) readonly buffer EightsSource {
    uvec4 at[];
};
layout(buffer_reference, std430, buffer_reference_align = 16) writeonly buffer EightsTarget {
    uvec4 at[];
};

vec4 lowFour(uvec4 eight) { return vec4(unpackHalf2x16(eight.x), unpackHalf2x16(eight.y)); }
vec4 highFour(uvec4 eight) { return vec4(unpackHalf2x16(eight.z), unpackHalf2x16(eight.w)); }

uvec4 eightOf(vec4 low, vec4 high) {
    return uvec4(
        packFloat2x16(f16vec2(low.xy)), packFloat2x16(f16vec2(low.zw)), packFloat2x16(f16vec2(high.xy)),
        packFloat2x16(f16vec2(high.zw)));
}

// Lets the invocations of a subgroup see what the others wrote to the shared memory.
void subgroupShares() {
    controlBarrier(gl_ScopeSubgroup, gl_ScopeSubgroup, gl_StorageSemanticsShared, gl_SemanticsAcquireRelease);
}
