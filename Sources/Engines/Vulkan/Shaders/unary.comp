#version 460
// y[i] = f(x[i])
#include "common.glsl"
#include "functions.glsl"
#include "vectors.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 0) const int FUNCTION = 0;
layout(constant_id = 1) const int IS_VECTOR = 0;
layout(push_constant, std430) uniform Parameters {
    Source x;
    Target y;
    // Of numbers, or of vectors.
    uint count;
};

void main() {
    uint i = invocation();
    if (i >= count) return;
    if (IS_VECTOR == 1) {
        float own[VECTOR] = numbers(Quads(x).at[i]);
        [[unroll]] for (int j = 0; j < VECTOR; j++) own[j] = function(FUNCTION, own[j]);
        put(Vectors(y), i, own);
    } else {
        y.at[i] = NUMBER(function(FUNCTION, float(x.at[i])));
    }
}
