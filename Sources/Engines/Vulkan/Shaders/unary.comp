#version 460
// y[i] = f(x[i])
#include "common.glsl"
#include "functions.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 0) const int FUNCTION = 0;
layout(push_constant, std430) uniform Parameters {
    Source x;
    Target y;
    uint count;
};

void main() {
    uint i = invocation();
    if (i >= count) return;
    y.at[i] = NUMBER(function(FUNCTION, float(x.at[i])));
}
