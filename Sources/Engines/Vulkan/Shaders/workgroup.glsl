// One number for all invocations of a workgroup of WIDTH, a power of two.
shared float partial[WIDTH];

float workgroupSum(float value) {
    uint local = gl_LocalInvocationID.x;
    barrier();
    partial[local] = value;
    barrier();
    [[unroll]] for (uint width = WIDTH / 2; width > 0; width /= 2) {
        if (local < width) partial[local] += partial[local + width];
        barrier();
    }
    return partial[0];
}

float workgroupMaximum(float value) {
    uint local = gl_LocalInvocationID.x;
    barrier();
    partial[local] = value;
    barrier();
    [[unroll]] for (uint width = WIDTH / 2; width > 0; width /= 2) {
        if (local < width) partial[local] = max(partial[local], partial[local + width]);
        barrier();
    }
    return partial[0];
}
