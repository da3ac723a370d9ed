// Sixteen bytes at a time: VECTOR numbers that lie one after the other, from an address that is a multiple of 16.
#ifdef HALF
#define VECTOR 8
struct Vector {
    f16vec4 low;
    f16vec4 high;
};
#else
#define VECTOR 4
#define Vector vec4
#endif

layout(buffer_reference, std430, buffer_reference_align = 16) readonly buffer Quads {
    uvec4 at[];
};
layout(buffer_reference, std430, buffer_reference_align = 16) writeonly buffer QuadTarget {
    uvec4 at[];
};
layout(buffer_reference, std430, buffer_reference_align = 16) writeonly buffer Vectors {
    Vector at[];
};

float[VECTOR] numbers(uvec4 bits) {
#ifdef HALF
    vec2 a = unpackHalf2x16(bits.x), b = unpackHalf2x16(bits.y), c = unpackHalf2x16(bits.z), d = unpackHalf2x16(bits.w);
    return float[](a.x, a.y, b.x, b.y, c.x, c.y, d.x, d.y);
#else
    vec4 four = uintBitsToFloat(bits);
    return float[](four.x, four.y, four.z, four.w);
#endif
}

// A conversion rounds to the nearest number, which packing halves does not on every device.
void put(Vectors y, uint i, float own[VECTOR]) {
    y.at[i]
#ifdef HALF
        .low = f16vec4(vec4(own[0], own[1], own[2], own[3]));
    y.at[i].high = f16vec4(vec4(own[4], own[5], own[6], own[7]));
#else
        = vec4(own[0], own[1], own[2], own[3]);
#endif
}
