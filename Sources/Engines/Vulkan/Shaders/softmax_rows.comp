#version 460
// y[r, i] = e^(x[r, i] - m) / Σ e^(x[r, j] - m), where m is the greatest of a row, by vectors: rows are read once, and held
// by LANES invocations each.
#include "common.glsl"
#include "vectors.glsl"

#define WIDTH 128
layout(local_size_x = WIDTH) in;
layout(constant_id = 0) const int LANES = 32;
// How many vectors of a row a lane has at most.
layout(constant_id = 1) const int EACH = 5;
#include "lanes.glsl"

layout(push_constant, std430) uniform Parameters {
    Quads x;
    Vectors y;
    uint rows;
    // Vectors of a row.
    uint size;
};

void main() {
    uint row = workgroup() * (WIDTH / LANES) + gl_LocalInvocationID.x / LANES;
    // Whoever has nothing reads what another does, and waits with the others all the same.
    uint held = row < rows ? size : 0, start = min(row, rows - 1) * size;
    uvec4 bits[EACH];
    [[unroll]] for (int i = 0; i < EACH; i++) bits[i] = x.at[start + min(i * LANES + lane(), size - 1)];
    float own[EACH * VECTOR];
    float greatest = LEAST;
    [[unroll]] for (int i = 0; i < EACH; i++) {
        bool isThere = i * LANES + lane() < held;
        float few[VECTOR] = numbers(bits[i]);
        [[unroll]] for (int j = 0; j < VECTOR; j++) {
            own[i * VECTOR + j] = few[j];
            greatest = isThere ? max(greatest, few[j]) : greatest;
        }
    }
    greatest = laneMaximum(greatest);
    float sum = 0.0;
    [[unroll]] for (int i = 0; i < EACH; i++) {
        bool isThere = i * LANES + lane() < held;
        [[unroll]] for (int j = 0; j < VECTOR; j++) {
            own[i * VECTOR + j] = isThere ? exp(own[i * VECTOR + j] - greatest) : 0.0;
            sum += own[i * VECTOR + j];
        }
    }
    float factor = 1.0 / laneSum(sum);
    [[unroll]] for (int i = 0; i < EACH; i++) {
        uint at = i * LANES + lane();
        if (at >= held) continue;
        float result[VECTOR];
        [[unroll]] for (int j = 0; j < VECTOR; j++) result[j] = own[i * VECTOR + j] * factor;
        put(y, start + at, result);
    }
}
