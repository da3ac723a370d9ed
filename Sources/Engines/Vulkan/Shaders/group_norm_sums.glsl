// Means and squares of a block of pixels, from sums over them.
shared vec2 sumsOfInvocations[WIDTH * 4];
shared vec2 channelMoments[COLUMNS * VECTOR];

void addTo(inout float sums[VECTOR], inout float squares[VECTOR], uvec4 bits, float origins[VECTOR]) {
    float own[VECTOR] = numbers(bits);
    [[unroll]] for (int j = 0; j < VECTOR; j++) {
        float distance = own[j] - origins[j];
        sums[j] += distance;
        squares[j] += distance * distance;
    }
}

// Sets the moments of the groups. Sums are of distances from the channel's number in the block's first pixel, which is at
// `first`, as the picture's first pixel is at `origin`, both in numbers.
void joinSums(Source x, uint first, uint origin, uint pixels, float sums[VECTOR], float squares[VECTOR]) {
    uint local = gl_LocalInvocationID.x;
    float count = float(pixels);
    // Four channels of each vector at a time, so that a workgroup shares no more than any device lets it.
    [[unroll]] for (int four = 0; four < VECTOR; four += 4) {
        barrier();
        [[unroll]] for (int j = 0; j < 4; j++)
            sumsOfInvocations[j * WIDTH + local] = vec2(sums[four + j], squares[four + j]);
        barrier();
        for (uint i = local; i < COLUMNS * 4; i += WIDTH) {
            uint j = i / COLUMNS, column = i % COLUMNS, channel = column * VECTOR + four + j;
            vec2 whole = vec2(0.0);
            for (int row = 0; row < ROWS; row++) whole += sumsOfInvocations[j * WIDTH + row * COLUMNS + column];
            float mean = whole.x / count;
            float distance = float(x.at[first + channel]) - float(x.at[origin + channel / CHANNELS * CHANNELS]);
            channelMoments[channel] = vec2(distance + mean, max(whole.y - whole.x * mean, 0.0));
        }
    }
    barrier();
    for (uint group = local; group < GROUPS; group += WIDTH) {
        float mean = 0.0;
        for (int i = 0; i < CHANNELS; i++) mean += channelMoments[group * CHANNELS + i].x;
        mean /= float(CHANNELS);
        float sum = 0.0;
        for (int i = 0; i < CHANNELS; i++) {
            vec2 one = channelMoments[group * CHANNELS + i];
            sum += one.y + count * (one.x - mean) * (one.x - mean);
        }
        groupMoments[group] = vec2(mean, sum);
    }
    barrier();
}
