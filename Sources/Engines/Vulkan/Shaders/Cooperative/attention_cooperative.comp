#version 460
// As attention.comp, with matrices that subgroups hold together: each subgroup has queries of its own, for which it goes
// through all keys (Dao 2023, FlashAttention-2).
#include "common.glsl"
#include "cooperative.glsl"
#extension GL_KHR_shader_subgroup_vote : require
#extension GL_KHR_shader_subgroup_shuffle : require

// Of a query and a key, and of a value: multiples of 8.
layout(constant_id = 4) const int SIZE = 40;
layout(constant_id = 5) const int VALUE_SIZE = 40;
layout(constant_id = 6) const int SUBGROUPS = 4;
// How many matrices the queries of a subgroup are.
layout(constant_id = 7) const int QUERY_MATRICES = 1;
// How many keys are in the shared memory.
layout(constant_id = 8) const int KEYS = 64;
layout(constant_id = 9) const int IS_MASKED = 0;
layout(push_constant, std430) uniform Parameters {
    EightsSource q;
    EightsSource k;
    EightsSource v;
    Source mask;
    EightsTarget y;
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
    uint maskPicture;
    uint maskHead;
    uint maskRow;
    uint maskColumn;
};

const int SUBGROUP_SIZE = INVOCATIONS / SUBGROUPS;
// Invocations that share a row of scores.
const int LANES = SUBGROUP_SIZE / M;
const int QUERIES = SUBGROUPS * QUERY_MATRICES * M;
// With zeros up to a whole number of matrices.
const int SIZE_MATRICES = (SIZE + K - 1) / K;
const int VALUE_MATRICES = (VALUE_SIZE + N - 1) / N;
const int SIZE_EIGHTS = SIZE_MATRICES * K / 8;
const int VALUE_EIGHTS = VALUE_MATRICES * N / 8;
const int KEY_COLUMNS = KEYS / N;
const int KEY_DEPTHS = KEYS / K;
// Rows in the shared memory, in eights: one more than they are, so that they begin in other banks.
const int SIZE_STRIDE = SIZE_EIGHTS + 1;
const int VALUE_STRIDE = VALUE_EIGHTS + 1;
const int SCORE_STRIDE = KEYS / 4 + 1;
const int FOURS_EACH = KEYS / 4 / LANES;
const int KEYS_SIZE = KEYS * SIZE_STRIDE > QUERIES * SIZE_STRIDE ? KEYS * SIZE_STRIDE : QUERIES * SIZE_STRIDE;
const int TILES_SIZE = KEYS * SIZE_STRIDE + KEYS * VALUE_STRIDE;
const float INFINITY = 1.0 / 0.0;

// Keys and values; before them, the queries.
shared uvec4 tiles[TILES_SIZE > KEYS_SIZE ? TILES_SIZE : KEYS_SIZE];
// Of each subgroup: the scores of one matrix of queries, then their weights.
shared uvec4 scores[SUBGROUPS * M * SCORE_STRIDE];
// A number a row of the scores.
shared uvec4 factors[SUBGROUPS * M / 4];

void main() {
    uint local = gl_LocalInvocationID.x, subgroup = gl_SubgroupID, lane = gl_SubgroupInvocationID;
    uint head = gl_WorkGroupID.y % heads, picture = gl_WorkGroupID.y / heads;
    uint qStart = picture * qPicture + head * qHead, kStart = picture * kPicture + head * kHead;
    uint vStart = picture * vPicture + head * vHead, yStart = picture * yPicture + head * yHead;
    uint maskStart = picture * maskPicture + head * maskHead;
    uint firstQuery = gl_WorkGroupID.x * QUERIES;
    uint ownRow = lane % M, ownPart = lane / M;
    uint corner = subgroup * M * SCORE_STRIDE;
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
                query[i * SIZE_MATRICES + d], tiles,
                ((subgroup * QUERY_MATRICES + i) * M) * SIZE_STRIDE + d * K / 8, SIZE_STRIDE, false);

    SUM_MATRIX result[QUERY_MATRICES * VALUE_MATRICES];
    [[unroll]] for (int i = 0; i < QUERY_MATRICES * VALUE_MATRICES; i++) result[i] = SUM_MATRIX(0.0);
    float greatest[QUERY_MATRICES];
    float sum[QUERY_MATRICES];
    [[unroll]] for (int i = 0; i < QUERY_MATRICES; i++) {
        greatest[i] = -INFINITY;
        sum[i] = 0.0;
    }

    for (uint first = 0; first < keys; first += KEYS) {
        barrier();
        for (uint i = local; i < KEYS * SIZE_EIGHTS; i += INVOCATIONS) {
            uint row = i / SIZE_EIGHTS, eight = i % SIZE_EIGHTS;
            bool isThere = first + row < keys && eight * 8 < SIZE;
            tiles[row * SIZE_STRIDE + eight] = isThere ? k.at[(kStart + (first + row) * kRow) / 8 + eight] : uvec4(0);
        }
        for (uint i = local; i < KEYS * VALUE_EIGHTS; i += INVOCATIONS) {
            uint row = i / VALUE_EIGHTS, eight = i % VALUE_EIGHTS;
            bool isThere = first + row < keys && eight * 8 < VALUE_SIZE;
            tiles[KEYS * SIZE_STRIDE + row * VALUE_STRIDE + eight] =
                isThere ? v.at[(vStart + (first + row) * vRow) / 8 + eight] : uvec4(0);
        }
        barrier();

        SUM_MATRIX products[QUERY_MATRICES * KEY_COLUMNS];
        [[unroll]] for (int j = 0; j < KEY_COLUMNS; j++) {
            [[unroll]] for (int i = 0; i < QUERY_MATRICES; i++) products[i * KEY_COLUMNS + j] = SUM_MATRIX(0.0);
            [[unroll]] for (int d = 0; d < SIZE_MATRICES; d++) {
                RIGHT_MATRIX key;
                coopMatLoadNV(key, tiles, j * N * SIZE_STRIDE + d * K / 8, SIZE_STRIDE, true);
                [[unroll]] for (int i = 0; i < QUERY_MATRICES; i++)
                    products[i * KEY_COLUMNS + j] =
                        coopMatMulAddNV(query[i * SIZE_MATRICES + d], key, products[i * KEY_COLUMNS + j]);
            }
        }

        LEFT_MATRIX weights[QUERY_MATRICES * KEY_DEPTHS];
        [[unroll]] for (int i = 0; i < QUERY_MATRICES; i++) {
            [[unroll]] for (int j = 0; j < KEY_COLUMNS; j++)
                coopMatStoreNV(products[i * KEY_COLUMNS + j], scores, corner + j * N / 4, SCORE_STRIDE, false);
            subgroupShares();
            uint row = firstQuery + (subgroup * QUERY_MATRICES + i) * M + ownRow;
            vec4 own[FOURS_EACH];
            float most = greatest[i];
            [[unroll]] for (int c = 0; c < FOURS_EACH; c++) {
                uint four = c * LANES + ownPart;
                own[c] = uintBitsToFloat(scores[corner + ownRow * SCORE_STRIDE + four]) * logarithmicScale;
                [[unroll]] for (int e = 0; e < 4; e++) {
                    uint column = first + four * 4 + e;
                    if (column >= keys) own[c][e] = -INFINITY;
                    else if (IS_MASKED == 1 && row < queries)
                        own[c][e] += 1.44269504089 * float(mask.at[maskStart + row * maskRow + column * maskColumn]);
                    most = max(most, own[c][e]);
                }
            }
            [[unroll]] for (int step = M; step < SUBGROUP_SIZE; step *= 2) most = max(most, subgroupShuffleXor(most, step));
            // Where all so far is masked, two to the power of the scores must be zero.
            float base = most == -INFINITY ? 0.0 : most;
            float factor = exp2(greatest[i] - base);
            greatest[i] = most;
            subgroupShares();
            float total = 0.0;
            [[unroll]] for (int c = 0; c < FOURS_EACH; c++) {
                own[c] = exp2(own[c] - base);
                total += own[c].x + own[c].y + own[c].z + own[c].w;
            }
            [[unroll]] for (int step = M; step < SUBGROUP_SIZE; step *= 2) total += subgroupShuffleXor(total, step);
            sum[i] = sum[i] * factor + total;
            // Two invocations' fours are an eight.
            [[unroll]] for (int c = 0; c < FOURS_EACH; c++) {
                uint four = c * LANES + ownPart;
                uint at = corner + ownRow * SCORE_STRIDE + four / 2;
                uint low = packFloat2x16(f16vec2(own[c].xy)), high = packFloat2x16(f16vec2(own[c].zw));
                if (four % 2 == 0) {
                    scores[at].x = low;
                    scores[at].y = high;
                } else {
                    scores[at].z = low;
                    scores[at].w = high;
                }
            }
            bool isRescaled = subgroupAny(factor != 1.0);
            if (isRescaled && ownPart == 0) factors[(subgroup * M + ownRow) / 4][ownRow % 4] = floatBitsToUint(factor);
            subgroupShares();
            [[unroll]] for (int d = 0; d < KEY_DEPTHS; d++)
                coopMatLoadNV(weights[i * KEY_DEPTHS + d], scores, corner + d * K / 8, SCORE_STRIDE, false);
            if (isRescaled) {
                SUM_MATRIX rows;
                coopMatLoadNV(rows, factors, subgroup * M / 4, 0, true);
                [[unroll]] for (int j = 0; j < VALUE_MATRICES; j++)
                    [[unroll]] for (int e = 0; e < M * N / SUBGROUP_SIZE; e++) result[i * VALUE_MATRICES + j][e] *= rows[e];
            }
            subgroupShares();
        }

        [[unroll]] for (int j = 0; j < VALUE_MATRICES; j++)
            [[unroll]] for (int d = 0; d < KEY_DEPTHS; d++) {
                RIGHT_MATRIX value;
                coopMatLoadNV(
                    value, tiles, KEYS * SIZE_STRIDE + d * K * VALUE_STRIDE + j * N / 8, VALUE_STRIDE, false);
                [[unroll]] for (int i = 0; i < QUERY_MATRICES; i++)
                    result[i * VALUE_MATRICES + j] =
                        coopMatMulAddNV(weights[i * KEY_DEPTHS + d], value, result[i * VALUE_MATRICES + j]);
            }
    }

    [[unroll]] for (int i = 0; i < QUERY_MATRICES; i++) {
        uint row = firstQuery + (subgroup * QUERY_MATRICES + i) * M + ownRow;
        [[unroll]] for (int j = 0; j < VALUE_MATRICES; j++) {
            coopMatStoreNV(result[i * VALUE_MATRICES + j], scores, corner, SCORE_STRIDE, false);
            subgroupShares();
            for (uint eight = ownPart; eight < N / 8; eight += LANES) {
                uint column = j * N + eight * 8, from = corner + ownRow * SCORE_STRIDE + eight * 2;
                if (row >= queries || column >= VALUE_SIZE) continue;
                y.at[(yStart + row * yRow + column) / 8] = eightOf(
                    uintBitsToFloat(scores[from]) / sum[i], uintBitsToFloat(scores[from + 1]) / sum[i]);
            }
            subgroupShares();
        }
    }
}
