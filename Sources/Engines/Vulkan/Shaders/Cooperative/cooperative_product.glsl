// y = f(a · bᵀ + bias + residual) by tiles of ROWS × COLUMNS results a workgroup, as product.glsl, with matrices that
// subgroups hold together. While they multiply the factors in one half of the shared memory, the next ones are on their way
// to registers, and from there to the other half.
//
// A shader that includes this defines aPlaces and bPlaces, which tell where the next factors are, and finish.
#include "common.glsl"
#include "cooperative.glsl"
#include "functions.glsl"

layout(constant_id = 4) const int ROWS = 128;
layout(constant_id = 5) const int COLUMNS = 128;
// The results of a subgroup.
layout(constant_id = 6) const int OWN_ROWS = 64;
layout(constant_id = 7) const int OWN_COLUMNS = 32;
layout(constant_id = 8) const int HAS_BIAS = 0;
layout(constant_id = 9) const int HAS_RESIDUAL = 0;
layout(constant_id = 10) const int FUNCTION = 0;
// Whether the sums are divided into parts, each with a workgroup of its own, which are added elsewhere.
layout(constant_id = 11) const int IS_PART = 0;

// How many steps of the sum are on their way at one time.
layout(constant_id = 12) const int STAGES = 1;
// The elements of the sum in a step.
layout(constant_id = 13) const int DEPTH = 32;

const int EIGHTS = DEPTH / 8;
// Of a row of a tile in the shared memory, in eights: one more than the numbers are, so that rows begin in other banks.
const int TILE_STRIDE = EIGHTS + 1;

const int SUBGROUPS = ROWS / OWN_ROWS * (COLUMNS / OWN_COLUMNS);
const int A_LOADS = (ROWS * DEPTH / 8 + INVOCATIONS - 1) / INVOCATIONS;
const int B_LOADS = (COLUMNS * DEPTH / 8 + INVOCATIONS - 1) / INVOCATIONS;
const int A_MATRICES = OWN_ROWS / M;
const int B_MATRICES = OWN_COLUMNS / N;
const int A_SIZE = ROWS * TILE_STRIDE;
const int TILE_SIZE = A_SIZE + COLUMNS * TILE_STRIDE;
// What a subgroup puts its sums in, in fours of 32 bits.
const int PATCH_STRIDE = OWN_COLUMNS / 4 + 1;
const int PATCHES_SIZE = SUBGROUPS * M * PATCH_STRIDE;

shared uvec4 tiles[2 * TILE_SIZE > PATCHES_SIZE ? 2 * TILE_SIZE : PATCHES_SIZE];

layout(buffer_reference, std430, buffer_reference_align = 16) writeonly buffer PartsTarget {
    vec4 at[];
};

// Eights that are on their way, where they come from, and which of them are there: a bit each. Compilers wait for what is
// read only if something is there to be read, so something is always read, and what is not there becomes zero later.
uvec4 aFetched[STAGES * A_LOADS];
uvec4 bFetched[STAGES * B_LOADS];
uint aFrom[A_LOADS];
uint bFrom[B_LOADS];
uint aThere[STAGES];
uint bThere[STAGES];

// The workgroup's tile among those of a product. Those that run at one time are of few rows and few columns, so that what
// they read of the factors stays in the device's cache.
uint tileRow, tileColumn;

#ifndef BAND
#define BAND 8
#endif
void findTile() {
    uint at = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    uint first = at / (BAND * gl_NumWorkGroups.x) * BAND, rows = min(BAND, gl_NumWorkGroups.y - first);
    uint inBand = at - first * gl_NumWorkGroups.x;
    tileRow = first + inBand % rows;
    tileColumn = inBand / rows;
}
