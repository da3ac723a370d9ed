// The rest of cooperative_product.glsl: what calls the functions that a shader defines in between.

void fetch(int stage, uint first, uint end) {
    aThere[stage] = aPlaces(first, end);
    bThere[stage] = bPlaces(first, end);
    [[unroll]] for (int i = 0; i < A_LOADS; i++)
        aFetched[stage * A_LOADS + i] = a.at[(aThere[stage] >> i & 1) == 1 ? aFrom[i] : 0];
    [[unroll]] for (int i = 0; i < B_LOADS; i++)
        bFetched[stage * B_LOADS + i] = b.at[(bThere[stage] >> i & 1) == 1 ? bFrom[i] : 0];
}

void putDown(int stage, uint tile) {
    uint local = gl_LocalInvocationID.x;
    [[unroll]] for (int i = 0; i < A_LOADS; i++) {
        uint load = i * INVOCATIONS + local;
        if (load < ROWS * DEPTH / 8)
            tiles[tile + load / EIGHTS * TILE_STRIDE + load % EIGHTS] =
                (aThere[stage] >> i & 1) == 1 ? aFetched[stage * A_LOADS + i] : uvec4(0);
    }
    [[unroll]] for (int i = 0; i < B_LOADS; i++) {
        uint load = i * INVOCATIONS + local;
        if (load >= COLUMNS * DEPTH / 8) continue;
        uint at = B_RUNS_ALONG_COLUMNS == 1
            ? load / (COLUMNS / 8) * (COLUMNS / 8 + 1) + load % (COLUMNS / 8)
            : load / EIGHTS * TILE_STRIDE + load % EIGHTS;
        tiles[tile + A_SIZE + at] = (bThere[stage] >> i & 1) == 1 ? bFetched[stage * B_LOADS + i] : uvec4(0);
    }
}

SUM_MATRIX sums[A_MATRICES * B_MATRICES];

void multiply(uint tile, uint ownRow, uint ownColumn) {
    [[unroll]] for (int k = 0; k < DEPTH / K; k++) {
        LEFT_MATRIX left[A_MATRICES];
        [[unroll]] for (int i = 0; i < A_MATRICES; i++)
            coopMatLoadNV(left[i], tiles, tile + (ownRow + i * M) * TILE_STRIDE + k * K / 8, TILE_STRIDE, false);
        [[unroll]] for (int j = 0; j < B_MATRICES; j++) {
            RIGHT_MATRIX right;
            if (B_RUNS_ALONG_COLUMNS == 1)
                coopMatLoadNV(
                    right, tiles, tile + A_SIZE + k * K * (COLUMNS / 8 + 1) + (ownColumn + j * N) / 8,
                    COLUMNS / 8 + 1, false);
            else
                coopMatLoadNV(
                    right, tiles, tile + A_SIZE + (ownColumn + j * N) * TILE_STRIDE + k * K / 8, TILE_STRIDE, true);
            [[unroll]] for (int i = 0; i < A_MATRICES; i++)
                sums[i * B_MATRICES + j] = coopMatMulAddNV(left[i], right, sums[i * B_MATRICES + j]);
        }
    }
}

void multiplyAll(uint begin, uint end, uint part) {
    uint subgroup = gl_SubgroupID, lane = gl_SubgroupInvocationID;
    uint ownRow = subgroup / (COLUMNS / OWN_COLUMNS) * OWN_ROWS, ownColumn = subgroup % (COLUMNS / OWN_COLUMNS) * OWN_COLUMNS;
    [[unroll]] for (int i = 0; i < A_MATRICES * B_MATRICES; i++) sums[i] = SUM_MATRIX(0.0);

    [[unroll]] for (int stage = 0; stage < STAGES; stage++) fetch(stage, begin + stage * DEPTH, end);
    uint tile = 0;
    for (uint first = begin; first < end; first += STAGES * DEPTH) {
        [[unroll]] for (int stage = 0; stage < STAGES; stage++) {
            // An even number of stages lets compilers know where each one's tile is.
            if (STAGES % 2 == 0) tile = stage % 2 * TILE_SIZE;
            putDown(stage, tile);
            barrier();
            fetch(stage, first + (STAGES + stage) * DEPTH, end);
            multiply(tile, ownRow, ownColumn);
            if (STAGES % 2 == 1) tile = TILE_SIZE - tile;
        }
    }

    // Where an element of a matrix is, only memory tells.
    barrier();
    uint corner = subgroup * M * PATCH_STRIDE;
    [[unroll]] for (int i = 0; i < A_MATRICES; i++) {
        [[unroll]] for (int j = 0; j < B_MATRICES; j++)
            coopMatStoreNV(sums[i * B_MATRICES + j], tiles, corner + j * N / 4, PATCH_STRIDE, false);
        subgroupShares();
#ifdef CAN_BE_GATED
        if (IS_GATED == 1) {
            for (uint eight = lane; eight < M * OWN_COLUMNS / 16; eight += gl_SubgroupSize) {
                uint row = eight / (OWN_COLUMNS / 16), at = eight % (OWN_COLUMNS / 16);
                uint from = corner + row * PATCH_STRIDE + at * 2, gate = from + OWN_COLUMNS / 8;
                finishGated(
                    tileRow * ROWS + ownRow + i * M + row, (tileColumn * COLUMNS + ownColumn) / 2 + at * 8,
                    uintBitsToFloat(tiles[from]), uintBitsToFloat(tiles[from + 1]), uintBitsToFloat(tiles[gate]),
                    uintBitsToFloat(tiles[gate + 1]));
            }
            subgroupShares();
            continue;
        }
#endif
        for (uint eight = lane; eight < M * OWN_COLUMNS / 8; eight += gl_SubgroupSize) {
            uint row = eight / (OWN_COLUMNS / 8), at = eight % (OWN_COLUMNS / 8);
            uint from = corner + row * PATCH_STRIDE + at * 2;
            finish(
                tileRow * ROWS + ownRow + i * M + row, tileColumn * COLUMNS + ownColumn + at * 8,
                uintBitsToFloat(tiles[from]), uintBitsToFloat(tiles[from + 1]), part);
        }
        subgroupShares();
    }
}
