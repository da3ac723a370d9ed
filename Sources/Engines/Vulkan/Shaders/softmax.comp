#version 460
// y[i] = e^(x[i] - m) / Σ e^(x[j] - m) along an axis, where m is the greatest there: one workgroup a row.
#include "common.glsl"

#define WIDTH 128
layout(local_size_x = WIDTH) in;
#include "workgroup.glsl"

layout(push_constant, std430) uniform Parameters {
    Source x;
    Target y;
    uint rows;
    uint size;
    // How far apart neighbours along the axis are.
    uint step;
};

void main() {
    uint row = workgroup();
    if (row >= rows) return;
    uint start = row / step * size * step + row % step;
    float greatest = LEAST;
    for (uint i = gl_LocalInvocationID.x; i < size; i += WIDTH) greatest = max(greatest, float(x.at[start + i * step]));
    greatest = workgroupMaximum(greatest);
    float sum = 0.0;
    for (uint i = gl_LocalInvocationID.x; i < size; i += WIDTH) sum += exp(float(x.at[start + i * step]) - greatest);
    sum = workgroupSum(sum);
    for (uint i = gl_LocalInvocationID.x; i < size; i += WIDTH)
        y.at[start + i * step] = NUMBER(exp(float(x.at[start + i * step]) - greatest) / sum);
}
