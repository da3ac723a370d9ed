// y = f(a · bᵀ + bias + residual) by tiles of ROWS × COLUMNS results a workgroup, whose factors are in shared memory: of
// matrices, or with CONVOLUTION of a picture's neighbourhoods and a kernel. Sums are of 32 bits.
#include "common.glsl"
#include "functions.glsl"

#define DEPTH 16
layout(local_size_x = 256) in;
// Multiples of 16.
layout(constant_id = 0) const int ROWS = 64;
layout(constant_id = 1) const int COLUMNS = 64;
// Whether four neighbours in the sum are read at once.
layout(constant_id = 2) const int A_IS_VECTOR = 0;
layout(constant_id = 3) const int B_IS_VECTOR = 0;
layout(constant_id = 4) const int HAS_BIAS = 0;
layout(constant_id = 5) const int HAS_RESIDUAL = 0;
layout(constant_id = 6) const int FUNCTION = 0;
// Whether rows of workgroups are beside each other, where there are more than one axis has.
layout(constant_id = 7) const int IS_FOLDED = 0;

shared float aTile[DEPTH * (ROWS + 1)];
shared float bTile[DEPTH * (COLUMNS + 1)];

const int ROWS_EACH = ROWS / 16;
const int COLUMNS_EACH = COLUMNS / 16;
// How many elements a load reads, how many loads a row of a tile is, and how many of them are an invocation's.
const int A_LOAD = A_IS_VECTOR == 1 ? 4 : 1;
const int B_LOAD = B_IS_VECTOR == 1 ? 4 : 1;
const int A_LOADS = (ROWS * DEPTH / A_LOAD + 255) / 256;
const int B_LOADS = (COLUMNS * DEPTH / B_LOAD + 255) / 256;

float sums[ROWS_EACH * COLUMNS_EACH];

// The first row and the first column of the workgroup's tile, in a product of so many columns.
uvec2 tileStart(uint columns) {
    uvec2 tile = gl_WorkGroupID.yx;
    if (IS_FOLDED == 1) {
        uint inRow = (columns + COLUMNS - 1) / COLUMNS;
        tile = uvec2(workgroup() / inRow, workgroup() % inRow);
    }
    return tile * uvec2(ROWS, COLUMNS);
}

void clearSums() {
    [[unroll]] for (int i = 0; i < ROWS_EACH * COLUMNS_EACH; i++) sums[i] = 0.0;
}

void multiplyTiles(uint ownRow, uint ownColumn) {
    [[unroll]] for (int k = 0; k < DEPTH; k++) {
        float left[ROWS_EACH];
        float right[COLUMNS_EACH];
        [[unroll]] for (int i = 0; i < ROWS_EACH; i++) left[i] = aTile[k * (ROWS + 1) + ownRow + 16 * i];
        [[unroll]] for (int j = 0; j < COLUMNS_EACH; j++) right[j] = bTile[k * (COLUMNS + 1) + ownColumn + 16 * j];
        [[unroll]] for (int i = 0; i < ROWS_EACH; i++)
            [[unroll]] for (int j = 0; j < COLUMNS_EACH; j++)
                sums[i * COLUMNS_EACH + j] = fma(left[i], right[j], sums[i * COLUMNS_EACH + j]);
    }
}
