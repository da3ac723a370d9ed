#version 460
// Of each group in each block of a picture's pixels: the mean, as its distance from the group's first number in the picture,
// and the sum of squared distances from it.
#include "group_norm_pixels.glsl"
#include "group_norm_sums.glsl"

layout(buffer_reference, std430, buffer_reference_align = 8) writeonly buffer MomentsTarget {
    vec2 at[];
};
layout(push_constant, std430) uniform Parameters {
    Source x;
    // [picture, group, block]
    MomentsTarget moments;
    uint pixels;
    // Vectors of a pixel.
    uint size;
    // Pixels of a block.
    uint blockPixels;
};

void main() {
    uint local = gl_LocalInvocationID.x, column = local % COLUMNS, row = local / COLUMNS;
    uint block = gl_WorkGroupID.x, part = gl_WorkGroupID.y, picture = gl_WorkGroupID.z;
    uint first = block * blockPixels, end = min(first + blockPixels, pixels);
    uint start = picture * pixels * size + part * COLUMNS;
    float sums[VECTOR], squares[VECTOR];
    [[unroll]] for (int j = 0; j < VECTOR; j++) sums[j] = squares[j] = 0.0;
    uint own = start + first * size + column;
    uvec4 origin = Quads(x).at[own];
    float origins[VECTOR] = numbers(origin);
    if (row < ROWS) {
        for (uint pixel = first + row; pixel < end; pixel += 4 * ROWS) {
            uvec4 bits[4];
            // The first pixel adds nothing.
            [[unroll]] for (int i = 0; i < 4; i++) {
                uint there = pixel + i * ROWS;
                bits[i] = Quads(x).at[there < end ? start + there * size + column : own];
            }
            [[unroll]] for (int i = 0; i < 4; i++) addTo(sums, squares, bits[i], origins);
        }
    }
    joinSums(x, (start + first * size) * VECTOR, start * VECTOR, end - first, sums, squares);
    uint group = (picture * gl_NumWorkGroups.y + part) * GROUPS;
    for (uint i = local; i < GROUPS; i += WIDTH) moments.at[(group + i) * gl_NumWorkGroups.x + block] = groupMoments[i];
}
