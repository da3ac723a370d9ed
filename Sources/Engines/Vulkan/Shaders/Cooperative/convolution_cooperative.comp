#version 460
// Rows and sums are those of convolution.comp.
#include "cooperative_product.glsl"

#define B_RUNS_ALONG_COLUMNS 0
layout(constant_id = 12) const int KERNEL_HEIGHT = 3;
layout(constant_id = 13) const int KERNEL_WIDTH = 3;
layout(constant_id = 14) const int STRIDE = 1;
layout(constant_id = 15) const int TOP = 1;
layout(constant_id = 16) const int LEFT = 1;
layout(constant_id = 17) const int ENLARGEMENT = 1;
layout(constant_id = 18) const int HAS_PICTURE_BIAS = 0;
layout(push_constant, std430) uniform Parameters {
    EightsSource a;
    EightsSource b;
    EightsTarget y;
    EightsSource bias;
    EightsSource pictureBias;
    EightsSource residual;
    uint m;
    uint channels;
    uint n;
    uint height;
    uint width;
    uint resultHeight;
    uint resultWidth;
    uint aPicture;
    uint aPixel;
    uint yPicture;
    uint yPixel;
    uint residualPicture;
    uint residualPixel;
    uint pictureBiasPicture;
    uint partDepth;
};

// Where the neighbourhoods begin whose parts this invocation loads.
uint starts[A_LOADS];
int tops[A_LOADS];
int lefts[A_LOADS];
uint bAt[B_LOADS];
// Which part of all neighbourhoods is next: a place in the kernel, and a channel of it.
uint place, channel;

uvec4 aNext(int i, uint first, uint end) {
    int above = tops[i] + int(place / KERNEL_WIDTH), before = lefts[i] + int(place % KERNEL_WIDTH);
    bool isThere = first + gl_LocalInvocationID.x % 4 * 8 < end && above >= 0 && above < int(height) * ENLARGEMENT
        && before >= 0 && before < int(width) * ENLARGEMENT;
    uint at = starts[i] + (uint(above / ENLARGEMENT) * width + uint(before / ENLARGEMENT)) * aPixel + channel;
    return isThere ? a.at[at / 8] : uvec4(0);
}

uvec4 bNext(int i, uint first, uint end) {
    uint load = i * INVOCATIONS + gl_LocalInvocationID.x;
    bool isThere = load < COLUMNS * DEPTH / 8 && gl_WorkGroupID.x * COLUMNS + load / 4 < n && first + load % 4 * 8 < end;
    return isThere ? b.at[(bAt[i] + first) / 8] : uvec4(0);
}

void advance() {
    channel += DEPTH;
    while (channel >= channels) {
        channel -= channels;
        place++;
    }
}

void finish(uint row, uint column, vec4 low, vec4 high, uint part) {
    if (row >= m || column >= n) return;
    if (IS_PART == 1) {
        uint at = ((part * m + row) * n + column) / 4;
        PartsTarget(y).at[at] = low;
        PartsTarget(y).at[at + 1] = high;
        return;
    }
    uint picture = row / (resultHeight * resultWidth), pixel = row % (resultHeight * resultWidth);
    column += gl_WorkGroupID.z * n;
    if (HAS_BIAS == 1) {
        uvec4 eight = bias.at[column / 8];
        low += lowFour(eight);
        high += highFour(eight);
    }
    if (HAS_PICTURE_BIAS == 1) {
        uvec4 eight = pictureBias.at[(picture * pictureBiasPicture + column) / 8];
        low += lowFour(eight);
        high += highFour(eight);
    }
    if (HAS_RESIDUAL == 1) {
        uvec4 eight = residual.at[(picture * residualPicture + pixel * residualPixel + column) / 8];
        low += lowFour(eight);
        high += highFour(eight);
    }
    [[unroll]] for (int i = 0; i < 4; i++) {
        low[i] = function(FUNCTION, low[i]);
        high[i] = function(FUNCTION, high[i]);
    }
    y.at[(picture * yPicture + pixel * yPixel + column) / 8] = eightOf(low, high);
}

#include "cooperative_loop.glsl"

void main() {
    uint k = KERNEL_HEIGHT * KERNEL_WIDTH * channels;
    // Parts are of sums that are not in groups.
    uint group = IS_PART == 1 ? 0 : gl_WorkGroupID.z, part = IS_PART == 1 ? gl_WorkGroupID.z : 0;
    uint begin = part * partDepth;
    [[unroll]] for (int i = 0; i < A_LOADS; i++) {
        uint load = i * INVOCATIONS + gl_LocalInvocationID.x, row = gl_WorkGroupID.y * ROWS + load / 4;
        uint pixel = row % (resultHeight * resultWidth);
        starts[i] = row / (resultHeight * resultWidth) * aPicture + group * channels;
        tops[i] = load < ROWS * DEPTH / 8 && row < m ? int(pixel / resultWidth) * STRIDE - TOP : -0x10000000;
        lefts[i] = int(pixel % resultWidth) * STRIDE - LEFT;
    }
    [[unroll]] for (int i = 0; i < B_LOADS; i++) {
        uint load = i * INVOCATIONS + gl_LocalInvocationID.x;
        bAt[i] = (group * n + gl_WorkGroupID.x * COLUMNS + load / 4) * k + load % 4 * 8;
    }
    place = (begin + gl_LocalInvocationID.x % 4 * 8) / channels;
    channel = (begin + gl_LocalInvocationID.x % 4 * 8) % channels;
    multiplyAll(begin, min(k, begin + partDepth), part);
}
