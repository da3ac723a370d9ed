#version 460
// y[r, d] = (x[r, d] - mean) / √(variance + ε) · scale[d] + shift[d], by vectors: rows are read once, and held by LANES
// invocations each.
#include "common.glsl"
#include "vectors.glsl"

#define WIDTH 128
layout(local_size_x = WIDTH) in;
layout(constant_id = 0) const int LANES = 32;
// How many vectors of a row a lane has at most.
layout(constant_id = 1) const int EACH = 5;
#include "lanes.glsl"

layout(push_constant, std430) uniform Parameters {
    Source x;
    Source scale;
    Source shift;
    Vectors y;
    uint rows;
    // Vectors of a row.
    uint size;
    float epsilon;
};

void main() {
    uint row = workgroup() * (WIDTH / LANES) + gl_LocalInvocationID.x / LANES;
    // Whoever has nothing reads what another does, and waits with the others all the same.
    uint held = row < rows ? size : 0, start = min(row, rows - 1) * size;
    float count = float(size * VECTOR);
    uvec4 bits[EACH];
    [[unroll]] for (int i = 0; i < EACH; i++) bits[i] = Quads(x).at[start + min(i * LANES + lane(), size - 1)];
    // Numbers far from zero lose nothing as distances from one of them.
    float origin = float(x.at[start * VECTOR]);
    float own[EACH * VECTOR];
    float sum = 0.0;
    [[unroll]] for (int i = 0; i < EACH; i++) {
        bool isThere = i * LANES + lane() < held;
        float few[VECTOR] = numbers(bits[i]);
        [[unroll]] for (int j = 0; j < VECTOR; j++) {
            own[i * VECTOR + j] = few[j] - origin;
            sum += isThere ? own[i * VECTOR + j] : 0.0;
        }
    }
    float mean = laneSum(sum) / count;
    sum = 0.0;
    [[unroll]] for (int i = 0; i < EACH; i++) {
        bool isThere = i * LANES + lane() < held;
        [[unroll]] for (int j = 0; j < VECTOR; j++) {
            float centered = own[i * VECTOR + j] - mean;
            own[i * VECTOR + j] = centered;
            sum += isThere ? centered * centered : 0.0;
        }
    }
    float factor = 1.0 / sqrt(laneSum(sum) / count + epsilon);
    [[unroll]] for (int i = 0; i < EACH; i++) {
        uint at = i * LANES + lane();
        if (at >= held) continue;
        float scales[VECTOR] = numbers(Quads(scale).at[at]), shifts[VECTOR] = numbers(Quads(shift).at[at]);
        float result[VECTOR];
        [[unroll]] for (int j = 0; j < VECTOR; j++) result[j] = own[i * VECTOR + j] * factor * scales[j] + shifts[j];
        put(y, start + at, result);
    }
}
