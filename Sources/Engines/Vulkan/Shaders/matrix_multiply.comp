#version 460
#include "product.glsl"

// Whether neighbours in memory are rows of a, or columns of b, rather than elements of the sum.
layout(constant_id = 8) const int A_RUNS_ALONG_ROWS = 0;
layout(constant_id = 9) const int B_RUNS_ALONG_COLUMNS = 0;
layout(push_constant, std430) uniform Parameters {
    Source a;
    Source b;
    Target y;
    // One a column.
    Source bias;
    Source residual;
    uint m;
    uint n;
    uint k;
    uint aRow;
    uint aInner;
    uint bColumn;
    uint bInner;
    uint yRow;
    uint residualRow;
    // Two axes outside the matrices, of which this is the size of the inner one.
    uint innerSize;
    uint aOuter;
    uint aMiddle;
    uint bOuter;
    uint bMiddle;
    uint yOuter;
    uint yMiddle;
    uint residualOuter;
    uint residualMiddle;
    // Of the sum, before anything is added.
    float scale;
};

void main() {
    uint local = gl_LocalInvocationID.x;
    uvec2 start = tileStart(n);
    uint firstRow = start.x, firstColumn = start.y;
    if (IS_FOLDED == 1 && firstRow >= m) return;
    uint outer = gl_WorkGroupID.z / innerSize, middle = gl_WorkGroupID.z % innerSize;
    uint aStart = outer * aOuter + middle * aMiddle, bStart = outer * bOuter + middle * bMiddle;
    uint ownRow = local / 16, ownColumn = local % 16;
    clearSums();

    for (uint first = 0; first < k; first += DEPTH) {
        [[unroll]] for (int i = 0; i < A_LOADS; i++) {
            uint load = i * 256 + local, inRow = load % (DEPTH / A_LOAD) * A_LOAD, row = load / (DEPTH / A_LOAD);
            if (A_RUNS_ALONG_ROWS == 1) {
                row = load % ROWS;
                inRow = load / ROWS;
            }
            if (row >= ROWS || inRow >= DEPTH) continue;
            bool isThere = firstRow + row < m && first + inRow < k;
            uint at = aStart + (firstRow + row) * aRow + (first + inRow) * aInner;
            if (A_IS_VECTOR == 1) {
                vec4 four = isThere ? vec4(VectorSource(a).at[at / 4]) : vec4(0.0);
                [[unroll]] for (int j = 0; j < 4; j++) aTile[(inRow + j) * (ROWS + 1) + row] = four[j];
            } else {
                aTile[inRow * (ROWS + 1) + row] = isThere ? float(a.at[at]) : 0.0;
            }
        }
        [[unroll]] for (int i = 0; i < B_LOADS; i++) {
            uint load = i * 256 + local, inRow = load % (DEPTH / B_LOAD) * B_LOAD, column = load / (DEPTH / B_LOAD);
            if (B_RUNS_ALONG_COLUMNS == 1) {
                column = load % COLUMNS;
                inRow = load / COLUMNS;
            }
            if (column >= COLUMNS || inRow >= DEPTH) continue;
            bool isThere = firstColumn + column < n && first + inRow < k;
            uint at = bStart + (firstColumn + column) * bColumn + (first + inRow) * bInner;
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

    uint yStart = outer * yOuter + middle * yMiddle, residualStart = outer * residualOuter + middle * residualMiddle;
    [[unroll]] for (int i = 0; i < ROWS_EACH; i++) {
        uint row = firstRow + ownRow + 16 * i;
        [[unroll]] for (int j = 0; j < COLUMNS_EACH; j++) {
            uint column = firstColumn + ownColumn + 16 * j;
            if (row >= m || column >= n) continue;
            float sum = sums[i * COLUMNS_EACH + j] * scale;
            if (HAS_BIAS == 1) sum += float(bias.at[column]);
            if (HAS_RESIDUAL == 1) sum += float(residual.at[residualStart + row * residualRow + column]);
            y.at[yStart + row * yRow + column] = NUMBER(function(FUNCTION, sum));
        }
    }
}
