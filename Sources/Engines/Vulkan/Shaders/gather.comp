#version 460
// y[i, d] = table[indices[i], d]
#include "common.glsl"

layout(local_size_x = 256) in;
layout(push_constant, std430) uniform Parameters {
    Source table;
    Words indices;
    Target y;
    uint count;
    uint rows;
    uint size;
};

void main() {
    uint i = invocation();
    if (i >= count) return;
    // An index beyond the table must not read beyond its memory.
    uint row = min(indices.at[i / size], rows - 1);
    y.at[i] = table.at[row * size + i % size];
}
