#version 460
// y[i] = the sum, the mean or the greatest of x along some axes: one workgroup a result.
#include "common.glsl"

layout(local_size_x = 128) in;
// 0: sum, 1: mean, 2: greatest.
layout(constant_id = 0) const int KIND = 0;
layout(push_constant, std430) uniform Parameters {
    Source x;
    Target y;
    uint results;
    uint count;
    uint keptSizes[5];
    uint keptStrides[5];
    uint sizes[5];
    uint strides[5];
};

shared float partial[128];

float join(float p, float q) {
    return KIND == 2 ? (isnan(p) || isnan(q) ? p + q : max(p, q)) : p + q;
}

void main() {
    uint result = workgroup();
    // The same for all of a workgroup.
    if (result >= results) return;
    uint rest = result, start = 0;
    [[unroll]] for (int axis = 4; axis >= 0; axis--) {
        start += rest % keptSizes[axis] * keptStrides[axis];
        rest /= keptSizes[axis];
    }
    // The greatest is at least the first.
    float value = KIND == 2 ? float(x.at[start]) : 0.0;
    for (uint i = gl_LocalInvocationID.x; i < count; i += 128) {
        uint at = start;
        rest = i;
        [[unroll]] for (int axis = 4; axis >= 0; axis--) {
            at += rest % sizes[axis] * strides[axis];
            rest /= sizes[axis];
        }
        value = join(value, float(x.at[at]));
    }
    partial[gl_LocalInvocationID.x] = value;
    barrier();
    for (uint half_count = 64; half_count > 0; half_count /= 2) {
        if (gl_LocalInvocationID.x < half_count)
            partial[gl_LocalInvocationID.x] =
                join(partial[gl_LocalInvocationID.x], partial[gl_LocalInvocationID.x + half_count]);
        barrier();
    }
    if (gl_LocalInvocationID.x == 0) y.at[result] = NUMBER(KIND == 1 ? partial[0] / float(count) : partial[0]);
}
