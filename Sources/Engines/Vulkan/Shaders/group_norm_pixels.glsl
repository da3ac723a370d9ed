// The mean and the variance of groups of channels, which are nearest in memory, by vectors. A workgroup has some whole groups
// of a picture, COLUMNS vectors of each pixel, and goes through ROWS pixels at a time; an invocation keeps to its column.
#include "common.glsl"
#include "functions.glsl"
#include "vectors.glsl"

#define WIDTH 256
layout(local_size_x = WIDTH) in;
layout(constant_id = 0) const int COLUMNS = 40;
// Channels of a group.
layout(constant_id = 1) const int CHANNELS = 10;

const int GROUPS = COLUMNS * VECTOR / CHANNELS;
const int ROWS = WIDTH / COLUMNS;

layout(buffer_reference, std430, buffer_reference_align = 8) readonly buffer Moments {
    vec2 at[];
};

// Of each group: the mean, as its distance from the group's first number in the picture, so that numbers far from zero lose
// nothing; and the sum of the squares of what is beside it, or in the end 1 / √(variance + ε).
shared vec2 groupMoments[GROUPS];
