#version 460
// Products of matrices that are in registers, again and again: what a device does at most.
#include "common.glsl"
#include "cooperative.glsl"

// As many sums that do not wait for each other.
layout(constant_id = 4) const int SUMS = 8;
layout(buffer_reference, std430, buffer_reference_align = 16) writeonly buffer Fours {
    uvec4 at[];
};
layout(push_constant, std430) uniform Parameters {
    Fours y;
    uint rounds;
};

shared uvec4 factors[K * 16 / 8];
shared uvec4 results[SUMS * M * N / 4];

void main() {
    for (uint i = gl_LocalInvocationID.x; i < K * 16 / 8; i += INVOCATIONS) factors[i] = uvec4(0x3C003C00u);
    barrier();
    LEFT_MATRIX left;
    RIGHT_MATRIX right;
    coopMatLoadNV(left, factors, 0, K / 8, false);
    coopMatLoadNV(right, factors, 0, N / 8, false);
    SUM_MATRIX sums[SUMS];
    [[unroll]] for (int i = 0; i < SUMS; i++) sums[i] = SUM_MATRIX(0.0);
    for (uint i = 0; i < rounds; i++)
        [[unroll]] for (int j = 0; j < SUMS; j++) sums[j] = coopMatMulAddNV(left, right, sums[j]);
    [[unroll]] for (int i = 0; i < SUMS; i++) coopMatStoreNV(sums[i], results, i * M * N / 4, N / 4, false);
    subgroupShares();
    if (gl_LocalInvocationID.x == 0) y.at[workgroup()] = results[rounds % (SUMS * M * N / 4)];
}
