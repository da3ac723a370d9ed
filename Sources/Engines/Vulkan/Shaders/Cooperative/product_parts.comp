#version 460
// y = f(scale · Σ parts + bias + pictureBias + residual): the results of a product whose sums were computed in parts. A
// matrix is a picture whose pixels are its rows.
#include "common.glsl"
#include "cooperative.glsl"
#include "functions.glsl"

layout(constant_id = 4) const int HAS_BIAS = 0;
layout(constant_id = 5) const int HAS_PICTURE_BIAS = 0;
layout(constant_id = 6) const int HAS_RESIDUAL = 0;
layout(constant_id = 7) const int FUNCTION = 0;
layout(buffer_reference, std430, buffer_reference_align = 16) readonly buffer PartsSource {
    vec4 at[];
};
layout(push_constant, std430) uniform Parameters {
    PartsSource sums;
    EightsTarget y;
    EightsSource bias;
    EightsSource pictureBias;
    EightsSource residual;
    uint parts;
    uint rows;
    uint columns;
    uint pixels;
    uint yPicture;
    uint yPixel;
    uint residualPicture;
    uint residualPixel;
    uint pictureBiasPicture;
    float scale;
};

void main() {
    uint eight = workgroup() * INVOCATIONS + gl_LocalInvocationID.x, eights = rows * columns / 8;
    if (eight >= eights) return;
    vec4 low = vec4(0.0), high = vec4(0.0);
    for (uint part = 0; part < parts; part++) {
        low += sums.at[(part * eights + eight) * 2];
        high += sums.at[(part * eights + eight) * 2 + 1];
    }
    low *= scale;
    high *= scale;
    uint row = eight / (columns / 8), column = eight % (columns / 8) * 8;
    uint picture = row / pixels, pixel = row % pixels;
    if (HAS_BIAS == 1) {
        uvec4 added = bias.at[column / 8];
        low += lowFour(added);
        high += highFour(added);
    }
    if (HAS_PICTURE_BIAS == 1) {
        uvec4 added = pictureBias.at[(picture * pictureBiasPicture + column) / 8];
        low += lowFour(added);
        high += highFour(added);
    }
    if (HAS_RESIDUAL == 1) {
        uvec4 added = residual.at[(picture * residualPicture + pixel * residualPixel + column) / 8];
        low += lowFour(added);
        high += highFour(added);
    }
    [[unroll]] for (int i = 0; i < 4; i++) {
        low[i] = function(FUNCTION, low[i]);
        high[i] = function(FUNCTION, high[i]);
    }
    y.at[(picture * yPicture + pixel * yPixel + column) / 8] = eightOf(low, high);
}
