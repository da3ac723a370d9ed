#version 460
// y = f((x - mean) / √(variance + ε) · scale + shift) of pictures so small that a workgroup holds all pixels of its groups.
#include "group_norm_pixels.glsl"
#include "group_norm_sums.glsl"
#include "group_norm_result.glsl"

// How many pixels an invocation has at most.
layout(constant_id = 3) const int EACH = 1;
layout(push_constant, std430) uniform Parameters {
    Source x;
    Source scale;
    Source shift;
    Vectors y;
    uint pixels;
    // Vectors of a pixel.
    uint size;
    float epsilon;
};

void main() {
    uint local = gl_LocalInvocationID.x, column = local % COLUMNS, row = local / COLUMNS;
    uint part = gl_WorkGroupID.x, picture = gl_WorkGroupID.y;
    uint start = picture * pixels * size + part * COLUMNS;
    uint held = row < ROWS ? pixels : 0;
    float sums[VECTOR], squares[VECTOR];
    [[unroll]] for (int j = 0; j < VECTOR; j++) sums[j] = squares[j] = 0.0;
    uint own = start + column;
    float nearest[VECTOR] = numbers(Quads(x).at[own]);
    uvec4 bits[EACH];
    // The first pixel adds nothing.
    [[unroll]] for (int i = 0; i < EACH; i++) {
        uint pixel = row + i * ROWS;
        bits[i] = Quads(x).at[pixel < held ? own + pixel * size : own];
    }
    [[unroll]] for (int i = 0; i < EACH; i++) addTo(sums, squares, bits[i], nearest);
    joinSums(x, start * VECTOR, start * VECTOR, pixels, sums, squares);
    for (uint group = local; group < GROUPS; group += WIDTH) {
        vec2 moments = groupMoments[group];
        groupMoments[group].y = 1.0 / sqrt(moments.y / (float(CHANNELS) * float(pixels)) + epsilon);
    }
    barrier();
    if (row >= ROWS) return;
    prepare(x, scale, shift, start * VECTOR, part * COLUMNS * VECTOR);
    [[unroll]] for (int i = 0; i < EACH; i++) {
        uint pixel = row + i * ROWS;
        if (pixel < pixels) put(y, own + pixel * size, result(bits[i]));
    }
}
