#version 460
// y[r, d] = x[r, d] · GELU(x[r, size + d])
#include "common.glsl"
#include "functions.glsl"
#include "vectors.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 0) const int IS_VECTOR = 0;
layout(push_constant, std430) uniform Parameters {
    Source x;
    Target y;
    // Of numbers, or of vectors, as is the size.
    uint count;
    uint size;
};

void main() {
    uint i = invocation();
    if (i >= count) return;
    uint at = i / size * 2 * size + i % size;
    if (IS_VECTOR == 1) {
        float own[VECTOR] = numbers(Quads(x).at[at]), gate[VECTOR] = numbers(Quads(x).at[at + size]);
        [[unroll]] for (int j = 0; j < VECTOR; j++) own[j] *= function(10, gate[j]);
        put(Vectors(y), i, own);
    } else {
        y.at[i] = NUMBER(float(x.at[at]) * function(10, float(x.at[at + size])));
    }
}
