#version 460
// y[i] = x[i'] in 32 bits, in row-major order: what a caller is given.
#include "common.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 0) const int RANK = 1;
layout(push_constant, std430) uniform Parameters {
    Source x;
    WordTarget y;
    uint count;
    uint sizes[6];
    uint xStrides[6];
};

void main() {
    uint i = invocation();
    if (i >= count) return;
    uint rest = i, p = 0;
    [[unroll]] for (int axis = RANK - 1; axis >= 0; axis--) {
        uint index = axis == 0 ? rest : rest % sizes[axis];
        rest /= sizes[axis];
        p += index * xStrides[axis];
    }
    y.at[i] = floatBitsToUint(float(x.at[p]));
}
