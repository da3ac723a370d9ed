#version 460
// As attention_cooperative.comp, for devices of which it is known where the elements of matrices are: those of a sum and of a
// left factor of 16 × 16 in one place, and each row with four neighbouring invocations, so that scores become weights
// without leaving their registers.
#include "common.glsl"
#include "cooperative.glsl"
#extension GL_KHR_shader_subgroup_vote : require
#extension GL_KHR_shader_subgroup_shuffle : require

// Multiples of 8.
layout(constant_id = 4) const int SIZE = 40;
layout(constant_id = 5) const int VALUE_SIZE = 40;
layout(constant_id = 6) const int SUBGROUPS = 4;
layout(constant_id = 7) const int QUERY_MATRICES = 1;
layout(constant_id = 8) const int KEYS = 64;
// Of an invocation's eight elements, those that are eight rows, and those that are eight columns, after the first: a bit each.
layout(constant_id = 9) const int LOWER = 0xCC;
layout(constant_id = 10) const int RIGHTER = 0xF0;
layout(buffer_reference, std430, buffer_reference_align = 4) writeonly buffer PairsTarget {
    uint at[];
};
layout(push_constant, std430) uniform Parameters {
    EightsSource q;
    EightsSource k;
    EightsSource v;
    EightsSource mask;
    PairsTarget y;
    uint queries;
    uint keys;
    uint heads;
    float scale;
    uint qPicture;
    uint qHead;
    uint qRow;
    uint kPicture;
    uint kHead;
    uint kRow;
    uint vPicture;
    uint vHead;
    uint vRow;
    uint yPicture;
    uint yHead;
    uint yRow;
};

const int QUERIES = SUBGROUPS * QUERY_MATRICES * 16;
// With zeros up to a whole number of matrices.
const int SIZE_MATRICES = (SIZE + 15) / 16;
const int VALUE_MATRICES = (VALUE_SIZE + 15) / 16;
const int SIZE_EIGHTS = SIZE_MATRICES * 2;
const int VALUE_EIGHTS = VALUE_MATRICES * 2;
const int KEY_MATRICES = KEYS / 16;
// Rows in the shared memory, in eights: one more than they are, so that they begin in other banks.
const int SIZE_STRIDE = SIZE_EIGHTS + 1;
const int VALUE_STRIDE = VALUE_EIGHTS + 1;
const int TILES_SIZE = KEYS * (SIZE_STRIDE + VALUE_STRIDE);
const int QUERIES_SIZE = QUERIES * SIZE_STRIDE;
const int KEY_LOADS = (KEYS * SIZE_EIGHTS + INVOCATIONS - 1) / INVOCATIONS;
const int VALUE_LOADS = (KEYS * VALUE_EIGHTS + INVOCATIONS - 1) / INVOCATIONS;
const float INFINITY = 1.0 / 0.0;

// Keys and values; before them, the queries.
shared uvec4 tiles[TILES_SIZE > QUERIES_SIZE ? TILES_SIZE : QUERIES_SIZE];

int lower(int e) { return LOWER >> e & 1; }

// The next keys and values, on their way.
uvec4 keysFetched[KEY_LOADS];
uvec4 valuesFetched[VALUE_LOADS];

// What is not there is read from where something is: compilers wait for what is read under a condition.
void fetch(uint first, uint kStart, uint vStart) {
    [[unroll]] for (int i = 0; i < KEY_LOADS; i++) {
        uint load = i * INVOCATIONS + gl_LocalInvocationID.x;
        uint row = min(first + load / SIZE_EIGHTS, keys - 1), eight = min(load % SIZE_EIGHTS, SIZE / 8 - 1);
        keysFetched[i] = k.at[(kStart + row * kRow) / 8 + eight];
    }
    [[unroll]] for (int i = 0; i < VALUE_LOADS; i++) {
        uint load = i * INVOCATIONS + gl_LocalInvocationID.x;
        uint row = min(first + load / VALUE_EIGHTS, keys - 1), eight = min(load % VALUE_EIGHTS, VALUE_SIZE / 8 - 1);
        valuesFetched[i] = v.at[(vStart + row * vRow) / 8 + eight];
    }
}

void putDown(uint first) {
    [[unroll]] for (int i = 0; i < KEY_LOADS; i++) {
        uint load = i * INVOCATIONS + gl_LocalInvocationID.x, row = load / SIZE_EIGHTS, eight = load % SIZE_EIGHTS;
        bool isThere = first + row < keys && eight * 8 < SIZE;
        if (row < KEYS) tiles[row * SIZE_STRIDE + eight] = isThere ? keysFetched[i] : uvec4(0);
    }
    [[unroll]] for (int i = 0; i < VALUE_LOADS; i++) {
        uint load = i * INVOCATIONS + gl_LocalInvocationID.x, row = load / VALUE_EIGHTS, eight = load % VALUE_EIGHTS;
        bool isThere = first + row < keys && eight * 8 < VALUE_SIZE;
        if (row < KEYS)
            tiles[KEYS * SIZE_STRIDE + row * VALUE_STRIDE + eight] = isThere ? valuesFetched[i] : uvec4(0);
    }
}

void main() {
    uint local = gl_LocalInvocationID.x, subgroup = gl_SubgroupID, lane = gl_SubgroupInvocationID;
    uint head = gl_WorkGroupID.y % heads, picture = gl_WorkGroupID.y / heads;
    uint qStart = picture * qPicture + head * qHead, kStart = picture * kPicture + head * kHead;
    uint vStart = picture * vPicture + head * vHead, yStart = picture * yPicture + head * yHead;
    uint firstQuery = gl_WorkGroupID.x * QUERIES;
    float logarithmicScale = scale * 1.44269504089;

    for (uint i = local; i < QUERIES * SIZE_EIGHTS; i += INVOCATIONS) {
        uint row = i / SIZE_EIGHTS, eight = i % SIZE_EIGHTS;
        bool isThere = firstQuery + row < queries && eight * 8 < SIZE;
        tiles[row * SIZE_STRIDE + eight] =
            isThere ? q.at[(qStart + (firstQuery + row) * qRow) / 8 + eight] : uvec4(0);
    }
    barrier();
    LEFT_MATRIX query[QUERY_MATRICES * SIZE_MATRICES];
    [[unroll]] for (int i = 0; i < QUERY_MATRICES; i++)
        [[unroll]] for (int d = 0; d < SIZE_MATRICES; d++)
            coopMatLoadNV(
                query[i * SIZE_MATRICES + d], tiles, (subgroup * QUERY_MATRICES + i) * 16 * SIZE_STRIDE + d * 2,
                SIZE_STRIDE, false);

    SUM_MATRIX result[QUERY_MATRICES * VALUE_MATRICES];
    [[unroll]] for (int i = 0; i < QUERY_MATRICES * VALUE_MATRICES; i++) result[i] = SUM_MATRIX(0.0);
    // Of the invocation's two rows of each matrix.
    float greatest[QUERY_MATRICES * 2];
    float sum[QUERY_MATRICES * 2];
    [[unroll]] for (int i = 0; i < QUERY_MATRICES * 2; i++) {
        greatest[i] = -INFINITY;
        sum[i] = 0.0;
    }

    fetch(0, kStart, vStart);
    for (uint first = 0; first < keys; first += KEYS) {
        barrier();
        putDown(first);
        barrier();
        fetch(first + KEYS, kStart, vStart);

        SUM_MATRIX scores[QUERY_MATRICES * KEY_MATRICES];
        [[unroll]] for (int j = 0; j < KEY_MATRICES; j++) {
            [[unroll]] for (int i = 0; i < QUERY_MATRICES; i++) scores[i * KEY_MATRICES + j] = SUM_MATRIX(0.0);
            [[unroll]] for (int d = 0; d < SIZE_MATRICES; d++) {
                RIGHT_MATRIX key;
                coopMatLoadNV(key, tiles, j * 16 * SIZE_STRIDE + d * 2, SIZE_STRIDE, true);
                [[unroll]] for (int i = 0; i < QUERY_MATRICES; i++)
                    scores[i * KEY_MATRICES + j] =
                        coopMatMulAddNV(query[i * SIZE_MATRICES + d], key, scores[i * KEY_MATRICES + j]);
            }
        }

        LEFT_MATRIX weights[QUERY_MATRICES * KEY_MATRICES];
        [[unroll]] for (int i = 0; i < QUERY_MATRICES; i++) {
            float most[2] = {-INFINITY, -INFINITY};
            [[unroll]] for (int j = 0; j < KEY_MATRICES; j++)
                [[unroll]] for (int e = 0; e < 8; e++) {
                    float score = scores[i * KEY_MATRICES + j][e] * logarithmicScale;
                    if (first + KEYS > keys) {
                        uint column = first + j * 16 + lane % 4 * 2 + (e & 1) + (RIGHTER >> e & 1) * 8;
                        if (column >= keys) score = -INFINITY;
                    }
                    scores[i * KEY_MATRICES + j][e] = score;
                    most[lower(e)] = max(most[lower(e)], score);
                }
            float factor[2];
            [[unroll]] for (int h = 0; h < 2; h++) {
                most[h] = max(most[h], subgroupShuffleXor(most[h], 1));
                most[h] = max(greatest[i * 2 + h], max(most[h], subgroupShuffleXor(most[h], 2)));
                factor[h] = exp2(greatest[i * 2 + h] - most[h]);
                greatest[i * 2 + h] = most[h];
                sum[i * 2 + h] *= factor[h];
            }
            [[unroll]] for (int j = 0; j < KEY_MATRICES; j++)
                [[unroll]] for (int e = 0; e < 8; e++) {
                    float weight = exp2(scores[i * KEY_MATRICES + j][e] - most[lower(e)]);
                    sum[i * 2 + lower(e)] += weight;
                    weights[i * KEY_MATRICES + j][e] = float16_t(weight);
                }
            if (subgroupAny(factor[0] != 1.0 || factor[1] != 1.0))
                [[unroll]] for (int j = 0; j < VALUE_MATRICES; j++)
                    [[unroll]] for (int e = 0; e < 8; e++) result[i * VALUE_MATRICES + j][e] *= factor[lower(e)];
        }

        [[unroll]] for (int d = 0; d < KEY_MATRICES; d++)
            [[unroll]] for (int j = 0; j < VALUE_MATRICES; j++) {
                RIGHT_MATRIX value;
                coopMatLoadNV(
                    value, tiles, KEYS * SIZE_STRIDE + d * 16 * VALUE_STRIDE + j * 2, VALUE_STRIDE, false);
                [[unroll]] for (int i = 0; i < QUERY_MATRICES; i++)
                    result[i * VALUE_MATRICES + j] =
                        coopMatMulAddNV(weights[i * KEY_MATRICES + d], value, result[i * VALUE_MATRICES + j]);
            }
    }

    [[unroll]] for (int i = 0; i < QUERY_MATRICES; i++) {
        float factor[2];
        [[unroll]] for (int h = 0; h < 2; h++) {
            float total = sum[i * 2 + h];
            total += subgroupShuffleXor(total, 1);
            total += subgroupShuffleXor(total, 2);
            factor[h] = 1.0 / total;
        }
        [[unroll]] for (int j = 0; j < VALUE_MATRICES; j++)
            [[unroll]] for (int e = 0; e < 8; e += 2) {
                uint row = firstQuery + (subgroup * QUERY_MATRICES + i) * 16 + lane / 4 + lower(e) * 8;
                uint column = j * 16 + lane % 4 * 2 + (RIGHTER >> e & 1) * 8;
                if (row >= queries || column >= VALUE_SIZE) continue;
                f16vec2 pair = f16vec2(
                    result[i * VALUE_MATRICES + j][e] * factor[lower(e)],
                    result[i * VALUE_MATRICES + j][e + 1] * factor[lower(e)]);
                y.at[(yStart + row * yRow + column) / 2] = packFloat2x16(pair);
            }
    }
}
