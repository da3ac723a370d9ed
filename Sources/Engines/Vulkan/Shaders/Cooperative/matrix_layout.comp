#version 460
// The first eight elements of matrices that an invocation has: of a sum, then of a left factor, the number of each in
// row-major order. The shader is for matrices of 16 × 16 and subgroups of 32.
#include "common.glsl"
#include "cooperative.glsl"

layout(buffer_reference, std430, buffer_reference_align = 4) writeonly buffer Numbers {
    float at[];
};
layout(push_constant, std430) uniform Parameters {
    Numbers y;
};

shared uvec4 sums[64];
shared uvec4 factors[32];

void main() {
    uint lane = gl_SubgroupInvocationID;
    for (uint four = lane; four < 64; four += 32) sums[four] = floatBitsToUint(vec4(four * 4, four * 4 + 1, four * 4 + 2, four * 4 + 3));
    uint first = lane * 8;
    factors[lane] = eightOf(
        vec4(first, first + 1, first + 2, first + 3), vec4(first + 4, first + 5, first + 6, first + 7));
    subgroupShares();
    SUM_MATRIX sum;
    LEFT_MATRIX factor;
    coopMatLoadNV(sum, sums, 0, 4, false);
    coopMatLoadNV(factor, factors, 0, 2, false);
    [[unroll]] for (int e = 0; e < 8; e++) {
        y.at[lane * 8 + e] = sum[e];
        y.at[256 + lane * 8 + e] = float(factor[e]);
    }
}
