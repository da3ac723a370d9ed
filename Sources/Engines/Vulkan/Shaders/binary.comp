#version 460
// y[i] = f(a[i'], b[i'']), where each operand has strides of its own: zero on axes that it repeats.
#include "common.glsl"
#include "vectors.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 0) const int FUNCTION = 0;
layout(constant_id = 1) const int RANK = 1;
// Whether the innermost axis is walked by vectors, and whether an operand has one number for all of each.
layout(constant_id = 2) const int IS_VECTOR = 0;
layout(constant_id = 3) const int A_IS_REPEATED = 0;
layout(constant_id = 4) const int B_IS_REPEATED = 0;
layout(push_constant, std430) uniform Parameters {
    Source a;
    Source b;
    Target y;
    // Of numbers, or of vectors; strides are of numbers.
    uint count;
    uint sizes[6];
    uint aStrides[6];
    uint bStrides[6];
};

float apply(float p, float q) {
    switch (FUNCTION) {
        case 0: return p + q;
        case 1: return p - q;
        case 2: return p * q;
        case 3: return p / q;
        case 4: return isnan(p) || isnan(q) ? p + q : max(p, q);
        default: return isnan(p) || isnan(q) ? p + q : min(p, q);
    }
}

float[VECTOR] operand(Source x, uint at, int isRepeated) {
    float own[VECTOR];
    if (isRepeated == 1) {
        float one = float(x.at[at]);
        [[unroll]] for (int j = 0; j < VECTOR; j++) own[j] = one;
    } else {
        own = numbers(Quads(x).at[at / VECTOR]);
    }
    return own;
}

void main() {
    uint i = invocation();
    if (i >= count) return;
    uint rest = i, p = 0, q = 0;
    [[unroll]] for (int axis = RANK - 1; axis >= 0; axis--) {
        uint index = axis == 0 ? rest : rest % sizes[axis];
        rest /= sizes[axis];
        p += index * aStrides[axis];
        q += index * bStrides[axis];
    }
    if (IS_VECTOR == 1) {
        float left[VECTOR] = operand(a, p, A_IS_REPEATED), right[VECTOR] = operand(b, q, B_IS_REPEATED);
        [[unroll]] for (int j = 0; j < VECTOR; j++) left[j] = apply(left[j], right[j]);
        put(Vectors(y), i, left);
    } else {
        y.at[i] = NUMBER(apply(float(a.at[p]), float(b.at[q])));
    }
}
