#version 460
// softmax(q · kᵀ · scale + mask) · v for QUERIES queries a workgroup, over KEYS keys at a time: scores are never in memory
// (Dao et al. 2022; the softmax is Milakov and Gimelshein's of 2018).
#include "common.glsl"

layout(local_size_x = 128) in;
layout(constant_id = 0) const int SIZE = 64;
layout(constant_id = 1) const int VALUE_SIZE = 64;
// A multiple of 8.
layout(constant_id = 2) const int QUERIES = 16;
// A multiple of 16.
layout(constant_id = 3) const int KEYS = 32;
layout(constant_id = 4) const int IS_MASKED = 0;
layout(push_constant, std430) uniform Parameters {
    Source q;
    Source k;
    Source v;
    Source mask;
    Target y;
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

const int LONGER_SIZE = SIZE > VALUE_SIZE ? SIZE : VALUE_SIZE;
const int ROWS_EACH = QUERIES / 8;
const int KEYS_EACH = KEYS / 16;
const int VALUES_EACH = (VALUE_SIZE + 15) / 16;

shared float query[QUERIES * (SIZE + 1)];
shared float tile[KEYS * (LONGER_SIZE + 1)];
shared float weights[QUERIES * (KEYS + 1)];

void main() {
    uint local = gl_LocalInvocationID.x, band = local / 16, lane = local % 16;
    uint firstQuery = gl_WorkGroupID.x * QUERIES;
    uint head = gl_WorkGroupID.y % heads, picture = gl_WorkGroupID.y / heads;
    uint qStart = picture * qPicture + head * qHead, kStart = picture * kPicture + head * kHead;
    uint vStart = picture * vPicture + head * vHead, yStart = picture * yPicture + head * yHead;
    uint maskStart = picture * maskPicture + head * maskHead;

    for (uint i = local; i < QUERIES * SIZE; i += 128) {
        uint row = i / SIZE, column = i % SIZE;
        query[row * (SIZE + 1) + column] =
            firstQuery + row < queries ? float(q.at[qStart + (firstQuery + row) * qRow + column]) * scale : 0.0;
    }
    float greatest[ROWS_EACH];
    float sum[ROWS_EACH];
    float result[ROWS_EACH * VALUES_EACH];
    [[unroll]] for (int i = 0; i < ROWS_EACH; i++) {
        greatest[i] = LEAST;
        sum[i] = 0.0;
        [[unroll]] for (int j = 0; j < VALUES_EACH; j++) result[i * VALUES_EACH + j] = 0.0;
    }

    for (uint first = 0; first < keys; first += KEYS) {
        barrier();
        for (uint i = local; i < KEYS * SIZE; i += 128) {
            uint row = i / SIZE, column = i % SIZE;
            tile[row * (LONGER_SIZE + 1) + column] =
                first + row < keys ? float(k.at[kStart + (first + row) * kRow + column]) : 0.0;
        }
        barrier();
        float scores[ROWS_EACH * KEYS_EACH];
        [[unroll]] for (int i = 0; i < ROWS_EACH * KEYS_EACH; i++) scores[i] = 0.0;
        for (int d = 0; d < SIZE; d++) {
            float right[KEYS_EACH];
            [[unroll]] for (int j = 0; j < KEYS_EACH; j++) right[j] = tile[(lane + 16 * j) * (LONGER_SIZE + 1) + d];
            [[unroll]] for (int i = 0; i < ROWS_EACH; i++) {
                float left = query[(band + 8 * i) * (SIZE + 1) + d];
                [[unroll]] for (int j = 0; j < KEYS_EACH; j++)
                    scores[i * KEYS_EACH + j] = fma(left, right[j], scores[i * KEYS_EACH + j]);
            }
        }
        [[unroll]] for (int i = 0; i < ROWS_EACH; i++)
            [[unroll]] for (int j = 0; j < KEYS_EACH; j++) {
                uint row = band + 8 * i, column = lane + 16 * j;
                float score = scores[i * KEYS_EACH + j];
                if (first + column >= keys) score = LEAST;
                else if (IS_MASKED == 1 && firstQuery + row < queries)
                    score += float(mask.at[maskStart + (firstQuery + row) * maskRow + (first + column) * maskColumn]);
                scores[i * KEYS_EACH + j] = score;
                weights[row * (KEYS + 1) + column] = score;
            }
        barrier();
        float factor[ROWS_EACH];
        [[unroll]] for (int i = 0; i < ROWS_EACH; i++) {
            float most = greatest[i];
            for (int j = 0; j < KEYS; j++) most = max(most, weights[(band + 8 * i) * (KEYS + 1) + j]);
            factor[i] = exp(greatest[i] - most);
            greatest[i] = most;
            [[unroll]] for (int j = 0; j < KEYS_EACH; j++) {
                // Keys beyond the end count for nothing, also where all others are masked.
                bool isThere = first + lane + 16 * j < keys;
                scores[i * KEYS_EACH + j] = isThere ? exp(scores[i * KEYS_EACH + j] - most) : 0.0;
            }
        }
        for (uint i = local; i < KEYS * VALUE_SIZE; i += 128) {
            uint row = i / VALUE_SIZE, column = i % VALUE_SIZE;
            tile[row * (LONGER_SIZE + 1) + column] =
                first + row < keys ? float(v.at[vStart + (first + row) * vRow + column]) : 0.0;
        }
        barrier();
        [[unroll]] for (int i = 0; i < ROWS_EACH; i++)
            [[unroll]] for (int j = 0; j < KEYS_EACH; j++)
                weights[(band + 8 * i) * (KEYS + 1) + lane + 16 * j] = scores[i * KEYS_EACH + j];
        barrier();
        [[unroll]] for (int i = 0; i < ROWS_EACH; i++) {
            sum[i] *= factor[i];
            [[unroll]] for (int j = 0; j < VALUES_EACH; j++) result[i * VALUES_EACH + j] *= factor[i];
        }
        for (int key = 0; key < KEYS; key++) {
            float right[VALUES_EACH];
            [[unroll]] for (int j = 0; j < VALUES_EACH; j++) {
                int column = int(lane) + 16 * j;
                right[j] = column < VALUE_SIZE ? tile[key * (LONGER_SIZE + 1) + column] : 0.0;
            }
            [[unroll]] for (int i = 0; i < ROWS_EACH; i++) {
                float weight = weights[(band + 8 * i) * (KEYS + 1) + key];
                sum[i] += weight;
                [[unroll]] for (int j = 0; j < VALUES_EACH; j++)
                    result[i * VALUES_EACH + j] = fma(weight, right[j], result[i * VALUES_EACH + j]);
            }
        }
    }
    [[unroll]] for (int i = 0; i < ROWS_EACH; i++) {
        uint row = firstQuery + band + 8 * i;
        if (row >= queries) continue;
        [[unroll]] for (int j = 0; j < VALUES_EACH; j++) {
            uint column = lane + 16 * j;
            if (column < VALUE_SIZE) y.at[yStart + row * yRow + column] = NUMBER(result[i * VALUES_EACH + j] / sum[i]);
        }
    }
}
