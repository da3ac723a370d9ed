#version 460
#include "cooperative_product.glsl"

// Whether neighbours in memory are columns of b, rather than elements of the sum.
layout(constant_id = 14) const int B_RUNS_ALONG_COLUMNS = 0;
// Whether the second half of the columns are gates: y = left half · GELU(right half), half as many columns. A subgroup then
// has columns of the one half, and as many that belong to them of the other.
#define CAN_BE_GATED
layout(constant_id = 15) const int IS_GATED = 0;
// The first numbers are those of matrix_multiply.comp.
layout(push_constant, std430) uniform Parameters {
    EightsSource a;
    EightsSource b;
    EightsTarget y;
    EightsSource bias;
    EightsSource residual;
    uint m;
    uint n;
    uint k;
    uint aRow;
    uint aInner;
    uint bColumn;
    uint bInner;
    uint yRow;
    uint residualRow;
    uint innerSize;
    uint aOuter;
    uint aMiddle;
    uint bOuter;
    uint bMiddle;
    uint yOuter;
    uint yMiddle;
    uint residualOuter;
    uint residualMiddle;
    float scale;
    // The elements of the sum that are a part's: a multiple of DEPTH.
    uint partDepth;
};

// Those of an invocation's rows and columns that are there, and, in eights, where they begin: a step of the sum later, they
// are as far on.
uint aRows, bColumns;
uint aAt[A_LOADS];
uint bAt[B_LOADS];

// The next factors that are there, a bit each; where they are is in aFrom and bFrom.
uint aPlaces(uint first, uint end) {
    [[unroll]] for (int i = 0; i < A_LOADS; i++) aFrom[i] = aAt[i] + first / 8;
    return first + gl_LocalInvocationID.x % EIGHTS * 8 < end ? aRows : 0;
}

uint bPlaces(uint first, uint end) {
    if (B_RUNS_ALONG_COLUMNS == 1) {
        uint there = 0;
        [[unroll]] for (int i = 0; i < B_LOADS; i++) {
            uint row = first + (i * INVOCATIONS + gl_LocalInvocationID.x) / (COLUMNS / 8);
            if (row < end) there |= bColumns & 1u << i;
            bFrom[i] = bAt[i] + first * (bInner / 8);
        }
        return there;
    }
    [[unroll]] for (int i = 0; i < B_LOADS; i++) bFrom[i] = bAt[i] + first / 8;
    return first + gl_LocalInvocationID.x % EIGHTS * 8 < end ? bColumns : 0;
}

uint yStart, residualStart;

void finish(uint row, uint column, vec4 low, vec4 high, uint part) {
    if (row >= m || column >= n) return;
    if (IS_PART == 1) {
        uint at = ((part * m + row) * n + column) / 4;
        PartsTarget(y).at[at] = low;
        PartsTarget(y).at[at + 1] = high;
        return;
    }
    low *= scale;
    high *= scale;
    if (HAS_BIAS == 1) {
        uvec4 eight = bias.at[column / 8];
        low += lowFour(eight);
        high += highFour(eight);
    }
    if (HAS_RESIDUAL == 1) {
        uvec4 eight = residual.at[(residualStart + row * residualRow + column) / 8];
        low += lowFour(eight);
        high += highFour(eight);
    }
    [[unroll]] for (int i = 0; i < 4; i++) {
        low[i] = function(FUNCTION, low[i]);
        high[i] = function(FUNCTION, high[i]);
    }
    y.at[(yStart + row * yRow + column) / 8] = eightOf(low, high);
}

void finishGated(uint row, uint column, vec4 low, vec4 high, vec4 gateLow, vec4 gateHigh) {
    if (row >= m || column >= n / 2) return;
    low *= scale;
    high *= scale;
    gateLow *= scale;
    gateHigh *= scale;
    if (HAS_BIAS == 1) {
        uvec4 eight = bias.at[column / 8], gateEight = bias.at[(n / 2 + column) / 8];
        low += lowFour(eight);
        high += highFour(eight);
        gateLow += lowFour(gateEight);
        gateHigh += highFour(gateEight);
    }
    [[unroll]] for (int i = 0; i < 4; i++) {
        low[i] *= function(10, gateLow[i]);
        high[i] *= function(10, gateHigh[i]);
    }
    y.at[(yStart + row * yRow + column) / 8] = eightOf(low, high);
}

#include "cooperative_loop.glsl"

// The column of the product that is one of a tile's.
uint columnOf(uint inTile) {
    if (IS_GATED == 0) return tileColumn * COLUMNS + inTile;
    uint own = inTile / OWN_COLUMNS, inOwn = inTile % OWN_COLUMNS, half_columns = OWN_COLUMNS / 2;
    uint column = tileColumn * (COLUMNS / 2) + own * half_columns + inOwn % half_columns;
    return column >= n / 2 ? n : column + inOwn / half_columns * (n / 2);
}

void main() {
    findTile();
    // Parts are of one product alone.
    uint batch = IS_PART == 1 ? 0 : gl_WorkGroupID.z, part = IS_PART == 1 ? gl_WorkGroupID.z : 0;
    uint outer = batch / innerSize, middle = batch % innerSize;
    uint aStart = outer * aOuter + middle * aMiddle, bStart = outer * bOuter + middle * bMiddle;
    yStart = outer * yOuter + middle * yMiddle;
    residualStart = outer * residualOuter + middle * residualMiddle;
    aRows = 0;
    [[unroll]] for (int i = 0; i < A_LOADS; i++) {
        uint load = i * INVOCATIONS + gl_LocalInvocationID.x, row = tileRow * ROWS + load / EIGHTS;
        aAt[i] = (aStart + row * aRow + load % EIGHTS * 8) / 8;
        if (load < ROWS * DEPTH / 8 && row < m) aRows |= 1u << i;
    }
    bColumns = 0;
    [[unroll]] for (int i = 0; i < B_LOADS; i++) {
        uint load = i * INVOCATIONS + gl_LocalInvocationID.x;
        bool runsAlong = B_RUNS_ALONG_COLUMNS == 1;
        uint column = columnOf(runsAlong ? load % (COLUMNS / 8) * 8 : load / EIGHTS);
        bAt[i] = (bStart + (runsAlong ? load / (COLUMNS / 8) * bInner + column : column * bColumn + load % EIGHTS * 8)) / 8;
        if (load < COLUMNS * DEPTH / 8 && column < n) bColumns |= 1u << i;
    }
    multiplyAll(part * partDepth, min(k, (part + 1) * partDepth), part);
}
