#version 460
// y = f((x - mean) / √(variance + ε) · scale + shift), with the groups' moments of each block of pixels.
#include "group_norm_pixels.glsl"
#include "group_norm_result.glsl"

// How many invocations join a group's moments.
layout(constant_id = 3) const int LANES = 8;
#include "lanes.glsl"

layout(push_constant, std430) uniform Parameters {
    Source x;
    Source scale;
    Source shift;
    // [picture, group, block]
    Moments moments;
    Vectors y;
    uint pixels;
    // Vectors of a pixel.
    uint size;
    // Pixels of a block of the moments, and how many blocks there are.
    uint blockPixels;
    uint blocks;
    // Pixels of a workgroup here.
    uint tilePixels;
    float epsilon;
};

float count(uint block) { return float(CHANNELS * (min(blockPixels, pixels - block * blockPixels))); }

uvec4 bits[4];

// The invocation's vectors of four pixels; beyond the end, of the last one.
void read(uint start, uint pixel, uint end) {
    [[unroll]] for (int i = 0; i < 4; i++) bits[i] = Quads(x).at[start + min(pixel + i * ROWS, end - 1) * size];
}

void main() {
    uint local = gl_LocalInvocationID.x, column = local % COLUMNS, row = local / COLUMNS;
    uint part = gl_WorkGroupID.y, picture = gl_WorkGroupID.z;
    uint origin = picture * pixels * size + part * COLUMNS, start = origin + column;
    uint first = gl_WorkGroupID.x * tilePixels, end = min(first + tilePixels, pixels);
    // On its way while the moments are joined.
    read(start, first + row, end);
    uint group = local / LANES, from = ((picture * gl_NumWorkGroups.y + part) * GROUPS + group) * blocks;
    uint held = group < GROUPS ? blocks : 0;
    float whole = float(CHANNELS) * float(pixels), sum = 0.0;
    for (uint i = lane(); i < held; i += LANES) sum += count(i) * moments.at[from + i].x;
    float mean = laneSum(sum) / whole;
    sum = 0.0;
    for (uint i = lane(); i < held; i += LANES) {
        vec2 one = moments.at[from + i];
        sum += one.y + count(i) * (one.x - mean) * (one.x - mean);
    }
    float factor = 1.0 / sqrt(laneSum(sum) / whole + epsilon);
    if (held > 0 && lane() == 0) groupMoments[group] = vec2(mean, factor);
    barrier();

    if (row >= ROWS) return;
    prepare(x, scale, shift, origin * VECTOR, part * COLUMNS * VECTOR);
    uint pixel = first + row;
    while (pixel < end) {
        [[unroll]] for (int i = 0; i < 4; i++)
            if (pixel + i * ROWS < end) put(y, start + (pixel + i * ROWS) * size, result(bits[i]));
        pixel += 4 * ROWS;
        if (pixel < end) read(start, pixel, end);
    }
}
