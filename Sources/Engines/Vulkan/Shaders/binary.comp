#version 460
// y[i] = f(a[i'], b[i'']), where each operand has strides of its own: zero on axes that it repeats.
#include "common.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 0) const int FUNCTION = 0;
layout(constant_id = 1) const int RANK = 1;
layout(push_constant, std430) uniform Parameters {
    Source a;
    Source b;
    Target y;
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
    y.at[i] = NUMBER(apply(float(a.at[p]), float(b.at[q])));
}
