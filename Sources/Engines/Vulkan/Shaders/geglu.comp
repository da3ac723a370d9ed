#version 460
// y[r, d] = x[r, d] · GELU(x[r, size + d])
#include "common.glsl"
#include "functions.glsl"

layout(local_size_x = 256) in;
layout(push_constant, std430) uniform Parameters {
    Source x;
    Target y;
    uint count;
    uint size;
};

void main() {
    uint i = invocation();
    if (i >= count) return;
    uint at = i / size * 2 * size + i % size;
    y.at[i] = NUMBER(float(x.at[at]) * function(10, float(x.at[at + size])));
}
