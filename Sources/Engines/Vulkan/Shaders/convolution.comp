#version 460
// Channels are innermost in pictures and kernels: a row of the product is a pixel, and its sum runs over the kernel's
// places and their channels.
#include "product.glsl"

layout(constant_id = 8) const int KERNEL_HEIGHT = 3;
layout(constant_id = 9) const int KERNEL_WIDTH = 3;
layout(constant_id = 10) const int STRIDE = 1;
layout(constant_id = 11) const int TOP = 1;
layout(constant_id = 12) const int LEFT = 1;
// How many times each pixel is repeated in both directions before.
layout(constant_id = 13) const int ENLARGEMENT = 1;
// A number a picture and channel.
layout(constant_id = 14) const int HAS_PICTURE_BIAS = 0;
layout(push_constant, std430) uniform Parameters {
    Source a;
    Source b;
    Target y;
    Source bias;
    Source pictureBias;
    Source residual;
    uint m;
    // The channels of a group, in and out.
    uint channels;
    uint n;
    // The size of the picture as it is stored.
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
};

void main() {
    uint local = gl_LocalInvocationID.x;
    uvec2 start = tileStart(n);
    uint firstRow = start.x, firstColumn = start.y, group = gl_WorkGroupID.z;
    if (IS_FOLDED == 1 && firstRow >= m) return;
    uint k = KERNEL_HEIGHT * KERNEL_WIDTH * channels;
    uint ownRow = local / 16, ownColumn = local % 16;
    clearSums();

    // Where the neighbourhoods begin whose parts this invocation loads.
    uint starts[A_LOADS];
    int tops[A_LOADS];
    int lefts[A_LOADS];
    [[unroll]] for (int i = 0; i < A_LOADS; i++) {
        uint row = firstRow + (i * 256 + local) / (DEPTH / A_LOAD);
        uint pixel = row % (resultHeight * resultWidth);
        starts[i] = row / (resultHeight * resultWidth) * aPicture + group * channels;
        tops[i] = row < m ? int(pixel / resultWidth) * STRIDE - TOP : -0x10000000;
        lefts[i] = int(pixel % resultWidth) * STRIDE - LEFT;
    }
    int wholeHeight = int(height) * ENLARGEMENT, wholeWidth = int(width) * ENLARGEMENT;

    for (uint first = 0; first < k; first += DEPTH) {
        [[unroll]] for (int i = 0; i < A_LOADS; i++) {
            uint load = i * 256 + local, inRow = load % (DEPTH / A_LOAD) * A_LOAD, row = load / (DEPTH / A_LOAD);
            if (row >= ROWS) continue;
            uint place = (first + inRow) / channels, channel = (first + inRow) % channels;
            int above = tops[i] + int(place / KERNEL_WIDTH), before = lefts[i] + int(place % KERNEL_WIDTH);
            bool isThere = first + inRow < k && above >= 0 && above < wholeHeight && before >= 0 && before < wholeWidth;
            uint at = starts[i] + (uint(above / ENLARGEMENT) * width + uint(before / ENLARGEMENT)) * aPixel + channel;
            if (A_IS_VECTOR == 1) {
                vec4 four = isThere ? vec4(VectorSource(a).at[at / 4]) : vec4(0.0);
                [[unroll]] for (int j = 0; j < 4; j++) aTile[(inRow + j) * (ROWS + 1) + row] = four[j];
            } else {
                aTile[inRow * (ROWS + 1) + row] = isThere ? float(a.at[at]) : 0.0;
            }
        }
        [[unroll]] for (int i = 0; i < B_LOADS; i++) {
            uint load = i * 256 + local, inRow = load % (DEPTH / B_LOAD) * B_LOAD, column = load / (DEPTH / B_LOAD);
            if (column >= COLUMNS) continue;
            bool isThere = firstColumn + column < n && first + inRow < k;
            uint at = (group * n + firstColumn + column) * k + first + inRow;
            if (B_IS_VECTOR == 1) {
                vec4 four = isThere ? vec4(VectorSource(b).at[at / 4]) : vec4(0.0);
                [[unroll]] for (int j = 0; j < 4; j++) bTile[(inRow + j) * (COLUMNS + 1) + column] = four[j];
            } else {
                bTile[inRow * (COLUMNS + 1) + column] = isThere ? float(b.at[at]) : 0.0;
            }
        }
        barrier();
        multiplyTiles(ownRow, ownColumn);
        barrier();
    }

    [[unroll]] for (int i = 0; i < ROWS_EACH; i++) {
        uint row = firstRow + ownRow + 16 * i;
        uint picture = row / (resultHeight * resultWidth), pixel = row % (resultHeight * resultWidth);
        [[unroll]] for (int j = 0; j < COLUMNS_EACH; j++) {
            uint column = firstColumn + ownColumn + 16 * j;
            if (row >= m || column >= n) continue;
            float sum = sums[i * COLUMNS_EACH + j];
            column += group * n;
            if (HAS_BIAS == 1) sum += float(bias.at[column]);
            if (HAS_PICTURE_BIAS == 1) sum += float(pictureBias.at[picture * pictureBiasPicture + column]);
            if (HAS_RESIDUAL == 1)
                sum += float(residual.at[picture * residualPicture + pixel * residualPixel + column]);
            y.at[picture * yPicture + pixel * yPixel + column] = NUMBER(function(FUNCTION, sum));
        }
    }
}
