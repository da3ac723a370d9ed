#version 460
// y[r, d] = (x[r, d] - mean) / √(variance + ε) · scale[d] + shift[d]: one workgroup a row.
#include "common.glsl"

#define WIDTH 128
layout(local_size_x = WIDTH) in;
#include "workgroup.glsl"

layout(push_constant, std430) uniform Parameters {
    Source x;
    Source scale;
    Source shift;
    Target y;
    uint rows;
    uint size;
    float epsilon;
};

void main() {
    uint row = workgroup();
    if (row >= rows) return;
    uint start = row * size;
    float sum = 0.0;
    for (uint i = gl_LocalInvocationID.x; i < size; i += WIDTH) sum += float(x.at[start + i]);
    float mean = workgroupSum(sum) / float(size);
    sum = 0.0;
    for (uint i = gl_LocalInvocationID.x; i < size; i += WIDTH) {
        float centered = float(x.at[start + i]) - mean;
        sum += centered * centered;
    }
    float factor = 1.0 / sqrt(workgroupSum(sum) / float(size) + epsilon);
    for (uint i = gl_LocalInvocationID.x; i < size; i += WIDTH)
        y.at[start + i] =
            NUMBER((float(x.at[start + i]) - mean) * factor * float(scale.at[i]) + float(shift.at[i]));
}
