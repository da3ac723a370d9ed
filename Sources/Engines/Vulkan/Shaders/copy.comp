#version 460
// y[i'] = x[i''], where source and target have strides of their own. Bits are kept: in the form for 32 bits, whole numbers
// are copied too.
#include "common.glsl"
#include "vectors.glsl"
#ifdef HALF
#define FROM Source
#define TO Target
#else
#define FROM Words
#define TO WordTarget
#endif

layout(local_size_x = 256) in;
layout(constant_id = 0) const int RANK = 1;
// Whether the innermost axis is walked by vectors.
layout(constant_id = 1) const int IS_VECTOR = 0;
layout(push_constant, std430) uniform Parameters {
    FROM x;
    TO y;
    // Of numbers, or of vectors; strides are of numbers.
    uint count;
    uint sizes[6];
    uint xStrides[6];
    uint yStrides[6];
};

void main() {
    uint i = invocation();
    if (i >= count) return;
    uint rest = i, p = 0, q = 0;
    [[unroll]] for (int axis = RANK - 1; axis >= 0; axis--) {
        uint index = axis == 0 ? rest : rest % sizes[axis];
        rest /= sizes[axis];
        p += index * xStrides[axis];
        q += index * yStrides[axis];
    }
    if (IS_VECTOR == 1) {
        QuadTarget(y).at[q / VECTOR] = Quads(x).at[p / VECTOR];
    } else {
        y.at[q] = x.at[p];
    }
}
