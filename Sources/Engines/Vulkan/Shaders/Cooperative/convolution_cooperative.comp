#version 460
// Rows and sums are those of convolution.comp.
#include "cooperative_product.glsl"

#define B_RUNS_ALONG_COLUMNS 0
layout(constant_id = 14) const int KERNEL_HEIGHT = 3;
layout(constant_id = 15) const int KERNEL_WIDTH = 3;
layout(constant_id = 16) const int STRIDE = 1;
layout(constant_id = 17) const int TOP = 1;
layout(constant_id = 18) const int LEFT = 1;
layout(constant_id = 19) const int ENLARGEMENT = 1;
layout(constant_id = 20) const int HAS_PICTURE_BIAS = 0;
// Whether the channels that come out are no multiple of eight.
layout(constant_id = 21) const int IS_RAGGED = 0;
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
// Which part of all neighbourhoods is next: a place in the kernel, and a channel of it; what of the place is within the
// pictures, and where, in eights, it begins.
uint place, channel;
uint inside;
uint places[A_LOADS];
uint bColumns;
uint bAt[B_LOADS];

void enterPlace() {
    inside = 0;
    int down = int(place / KERNEL_WIDTH), along = int(place % KERNEL_WIDTH);
    [[unroll]] for (int i = 0; i < A_LOADS; i++) {
        int above = tops[i] + down, before = lefts[i] + along;
        if (above >= 0 && above < int(height) * ENLARGEMENT && before >= 0 && before < int(width) * ENLARGEMENT)
            inside |= 1u << i;
        places[i] = (starts[i] + (uint(above / ENLARGEMENT) * width + uint(before / ENLARGEMENT)) * aPixel) / 8;
    }
}

// The next factors that are there, a bit each; where they are is in aFrom and bFrom.
uint aPlaces(uint first, uint end) {
    uint there = first + gl_LocalInvocationID.x % EIGHTS * 8 < end ? inside : 0;
    [[unroll]] for (int i = 0; i < A_LOADS; i++) aFrom[i] = places[i] + channel / 8;
    channel += DEPTH;
    if (channel >= channels) {
        while (channel >= channels) {
            channel -= channels;
            place++;
        }
        enterPlace();
    }
    return there;
}

uint bPlaces(uint first, uint end) {
    [[unroll]] for (int i = 0; i < B_LOADS; i++) bFrom[i] = bAt[i] + first / 8;
    return first + gl_LocalInvocationID.x % EIGHTS * 8 < end ? bColumns : 0;
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
    uint at = picture * yPicture + pixel * yPixel + column;
    if (IS_RAGGED == 1) {
        [[unroll]] for (int i = 0; i < 8; i++)
            if (column + i < n) Target(y).at[at + i] = NUMBER(i < 4 ? low[i] : high[i - 4]);
    } else {
        y.at[at / 8] = eightOf(low, high);
    }
}

#include "cooperative_loop.glsl"

void main() {
    findTile();
    uint k = KERNEL_HEIGHT * KERNEL_WIDTH * channels;
    // Parts are of sums that are not in groups.
    uint group = IS_PART == 1 ? 0 : gl_WorkGroupID.z, part = IS_PART == 1 ? gl_WorkGroupID.z : 0;
    uint begin = part * partDepth;
    [[unroll]] for (int i = 0; i < A_LOADS; i++) {
        uint load = i * INVOCATIONS + gl_LocalInvocationID.x, row = tileRow * ROWS + load / EIGHTS;
        uint pixel = row % (resultHeight * resultWidth);
        starts[i] = row / (resultHeight * resultWidth) * aPicture + group * channels;
        tops[i] = load < ROWS * DEPTH / 8 && row < m ? int(pixel / resultWidth) * STRIDE - TOP : -0x10000000;
        lefts[i] = int(pixel % resultWidth) * STRIDE - LEFT;
    }
    bColumns = 0;
    [[unroll]] for (int i = 0; i < B_LOADS; i++) {
        uint load = i * INVOCATIONS + gl_LocalInvocationID.x, column = tileColumn * COLUMNS + load / EIGHTS;
        bAt[i] = ((group * n + column) * k + load % EIGHTS * 8) / 8;
        if (load < COLUMNS * DEPTH / 8 && column < n) bColumns |= 1u << i;
    }
    place = (begin + gl_LocalInvocationID.x % EIGHTS * 8) / channels;
    channel = (begin + gl_LocalInvocationID.x % EIGHTS * 8) % channels;
    enterPlace();
    multiplyAll(begin, min(k, begin + partDepth), part);
}
