// One number for LANES neighbours of a workgroup of WIDTH, both powers of two. All of a workgroup must come here.
shared float partial[WIDTH];
shared float joined[WIDTH / 8];

// More lanes than this go by way of sums of eight.
#define FEW 16

uint lane() { return gl_LocalInvocationID.x % LANES; }

// Shows each lane's number to all others.
void share(float own) {
    // Others may still be reading.
    barrier();
    partial[gl_LocalInvocationID.x] = own;
    barrier();
}

float laneSum(float own) {
    uint local = gl_LocalInvocationID.x, first = local - lane();
    share(own);
    float sum = 0.0;
    if (LANES <= FEW) {
        [[unroll]] for (int i = 0; i < LANES; i++) sum += partial[first + i];
        return sum;
    }
    if (lane() < LANES / 8) {
        [[unroll]] for (int i = 0; i < 8; i++) sum += partial[local + i * (LANES / 8)];
        joined[first / 8 + lane()] = sum;
    }
    barrier();
    sum = 0.0;
    [[unroll]] for (int i = 0; i < LANES / 8; i++) sum += joined[first / 8 + i];
    return sum;
}

float laneMaximum(float own) {
    uint local = gl_LocalInvocationID.x, first = local - lane();
    share(own);
    float greatest = own;
    if (LANES <= FEW) {
        [[unroll]] for (int i = 0; i < LANES; i++) greatest = max(greatest, partial[first + i]);
        return greatest;
    }
    if (lane() < LANES / 8) {
        [[unroll]] for (int i = 0; i < 8; i++) greatest = max(greatest, partial[local + i * (LANES / 8)]);
        joined[first / 8 + lane()] = greatest;
    }
    barrier();
    [[unroll]] for (int i = 0; i < LANES / 8; i++) greatest = max(greatest, joined[first / 8 + i]);
    return greatest;
}
