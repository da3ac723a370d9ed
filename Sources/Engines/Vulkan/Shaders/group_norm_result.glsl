// What an invocation does to its channels, once the groups' means and 1 / √(variance + ε) are known.
layout(constant_id = 2) const int FUNCTION = 0;

float origins[VECTOR];
float factors[VECTOR];
float terms[VECTOR];

// The workgroup's first channel is the picture's `channel`-th, and is at `origin` in the first pixel.
void prepare(Source x, Source scale, Source shift, uint origin, uint channel) {
    uint column = gl_LocalInvocationID.x % COLUMNS;
    float scales[VECTOR] = numbers(Quads(scale).at[channel / VECTOR + column]);
    float shifts[VECTOR] = numbers(Quads(shift).at[channel / VECTOR + column]);
    [[unroll]] for (int j = 0; j < VECTOR; j++) {
        uint group = (column * VECTOR + j) / CHANNELS;
        vec2 moments = groupMoments[group];
        origins[j] = float(x.at[origin + group * CHANNELS]);
        factors[j] = moments.y * scales[j];
        terms[j] = shifts[j] - moments.x * factors[j];
    }
}

float[VECTOR] result(uvec4 bits) {
    float own[VECTOR] = numbers(bits);
    [[unroll]] for (int j = 0; j < VECTOR; j++)
        own[j] = function(FUNCTION, fma(own[j] - origins[j], factors[j], terms[j]));
    return own;
}
