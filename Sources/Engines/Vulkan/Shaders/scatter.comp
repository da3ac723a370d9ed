#version 460
// y[v, d] = the row that goes to v, or table[v, d] and the rows that go there, in their order.
#include "common.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 0) const int ADDS = 0;
layout(push_constant, std430) uniform Parameters {
    Source table;
    Words indices;
    Source rows;
    Target y;
    uint count;
    uint size;
    uint moved;
};

void main() {
    uint i = invocation();
    if (i >= count) return;
    uint row = i / size, column = i % size;
    float value = float(table.at[i]);
    for (uint j = 0; j < moved; j++) {
        if (indices.at[j] != row) continue;
        float other = float(rows.at[j * size + column]);
        value = ADDS == 1 ? value + other : other;
    }
    y.at[i] = NUMBER(value);
}
