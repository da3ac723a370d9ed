#version 460
// y = f((x - mean) / √(variance + ε) · scale + shift), with the mean and the variance of a picture's group of channels: one
// workgroup a group.
#include "common.glsl"
#include "functions.glsl"

#define WIDTH 256
layout(local_size_x = WIDTH) in;
#include "workgroup.glsl"

layout(constant_id = 0) const int FUNCTION = 0;
layout(push_constant, std430) uniform Parameters {
    Source x;
    Source scale;
    Source shift;
    Target y;
    uint groups;
    // Channels of a group.
    uint channels;
    uint pixels;
    uint pictureStride;
    uint channelStride;
    uint pixelStride;
    float epsilon;
};

// What is nearest in memory is read by neighbours.
void place(uint i, out uint channel, out uint at) {
    bool isChannelInnermost = channelStride == 1;
    uint pixel = isChannelInnermost ? i / channels : i % pixels;
    channel = isChannelInnermost ? i % channels : i / pixels;
    at = channel * channelStride + pixel * pixelStride;
}

void main() {
    uint picture = gl_WorkGroupID.y, group = gl_WorkGroupID.x;
    uint start = picture * pictureStride + group * channels * channelStride;
    uint count = channels * pixels, channel, at;
    float sum = 0.0;
    for (uint i = gl_LocalInvocationID.x; i < count; i += WIDTH) {
        place(i, channel, at);
        sum += float(x.at[start + at]);
    }
    float mean = workgroupSum(sum) / float(count);
    sum = 0.0;
    for (uint i = gl_LocalInvocationID.x; i < count; i += WIDTH) {
        place(i, channel, at);
        float centered = float(x.at[start + at]) - mean;
        sum += centered * centered;
    }
    float factor = 1.0 / sqrt(workgroupSum(sum) / float(count) + epsilon);
    for (uint i = gl_LocalInvocationID.x; i < count; i += WIDTH) {
        place(i, channel, at);
        float normal = (float(x.at[start + at]) - mean) * factor;
        uint whole = group * channels + channel;
        y.at[start + at] = NUMBER(function(FUNCTION, normal * float(scale.at[whole]) + float(shift.at[whole])));
    }
}
