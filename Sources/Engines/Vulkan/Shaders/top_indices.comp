#version 460
// y[r, k] = where the k-th greatest of x[r, :] is: each element counts those before it.
#include "common.glsl"

layout(local_size_x = 256) in;
layout(push_constant, std430) uniform Parameters {
    Source x;
    WordTarget y;
    uint count;
    uint size;
    uint wanted;
};

void main() {
    uint i = invocation();
    if (i >= count) return;
    uint row = i / size, own = i % size, before = 0;
    float value = float(x.at[i]);
    for (uint j = 0; j < size; j++) {
        float other = float(x.at[row * size + j]);
        if (other > value || (other == value && j < own)) before++;
    }
    if (before < wanted) y.at[row * wanted + before] = own;
}
