#version 460
// y[i, d] = table[indices[i], d]
#include "common.glsl"
#include "vectors.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 0) const int IS_VECTOR = 0;
layout(push_constant, std430) uniform Parameters {
    Source table;
    Words indices;
    Target y;
    // Of numbers, or of vectors, as is the size.
    uint count;
    uint rows;
    uint size;
};

void main() {
    uint i = invocation();
    if (i >= count) return;
    // An index beyond the table must not read beyond its memory.
    uint row = min(indices.at[i / size], rows - 1);
    uint at = row * size + i % size;
    if (IS_VECTOR == 1) {
        QuadTarget(y).at[i] = Quads(table).at[at];
    } else {
        y.at[i] = table.at[at];
    }
}
