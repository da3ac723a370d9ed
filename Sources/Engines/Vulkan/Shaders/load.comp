#version 460
// y[i'] = x[i]: numbers as a checkpoint or a caller stores them, read one after the other, to where they are wanted.
#include "common.glsl"

layout(local_size_x = 256) in;
layout(constant_id = 0) const int RANK = 1;
// 0: 32 bits, 1: IEEE 754's half precision, 2: bfloat16, 3: integers of 8 bits, 4: of 4 bits.
layout(constant_id = 1) const int TYPE = 0;
layout(push_constant, std430) uniform Parameters {
    Words x;
    Target y;
    uint count;
    uint sizes[6];
    uint yStrides[6];
};

float stored(uint i) {
    switch (TYPE) {
        case 0: return uintBitsToFloat(x.at[i]);
        case 1: {
            vec2 pair = unpackHalf2x16(x.at[i >> 1]);
            return (i & 1) == 0 ? pair.x : pair.y;
        }
        case 2: {
            uint pair = x.at[i >> 1];
            return uintBitsToFloat((i & 1) == 0 ? pair << 16 : pair & 0xFFFF0000u);
        }
        case 3: return float(bitfieldExtract(int(x.at[i >> 2]), int(i & 3) * 8, 8));
        default: return float(bitfieldExtract(int(x.at[i >> 3]), int(i & 7) * 4, 4));
    }
}

void main() {
    uint i = invocation();
    if (i >= count) return;
    uint rest = i, q = 0;
    [[unroll]] for (int axis = RANK - 1; axis >= 0; axis--) {
        uint index = axis == 0 ? rest : rest % sizes[axis];
        rest /= sizes[axis];
        q += index * yStrides[axis];
    }
    y.at[q] = NUMBER(stored(i));
}
