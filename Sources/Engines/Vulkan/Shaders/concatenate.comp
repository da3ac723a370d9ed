#version 460
// y[r] = a[r] and b[r] one after the other, by vectors. Bits are kept: whole numbers are moved too.
#include "common.glsl"
#include "vectors.glsl"

layout(local_size_x = 256) in;
layout(push_constant, std430) uniform Parameters {
    Quads a;
    Quads b;
    QuadTarget y;
    // All in vectors: of the result, of its rows, of a's rows, and how far apart rows of a and of b begin.
    uint count;
    uint size;
    uint aSize;
    uint aRow;
    uint bRow;
};

void main() {
    uint i = invocation();
    if (i >= count) return;
    uint row = i / size, column = i % size;
    uvec4 bits;
    if (column < aSize) {
        bits = a.at[row * aRow + column];
    } else {
        bits = b.at[row * bRow + column - aSize];
    }
    y.at[i] = bits;
}
