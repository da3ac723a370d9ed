// Functions of one number, by the numbers that `Function` in Function.swift gives them.

// Abramowitz and Stegun, equation 7.1.26: within 1.5e-7.
float errorFunction(float x) {
    float t = 1.0 / (1.0 + 0.3275911 * abs(x));
    float series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
    return sign(x) * (1.0 - series * exp(-x * x));
}

// The hardware's sine is exact near zero alone: x less the nearest multiple of π, which is given in three parts,
// by the Taylor series.
float accurateSine(float x) {
    float turns = roundEven(x * 0.31830988618);
    float r = fma(turns, -3.140625, x);
    r = fma(turns, -9.67502593994140625e-4, r);
    r = fma(turns, -1.509957990978376432e-7, r);
    float s = r * r;
    float series = ((((-2.5052108e-8 * s + 2.7557319e-6) * s - 1.9841270e-4) * s + 8.3333333e-3) * s - 1.6666667e-1) * s;
    float value = r + r * series;
    return (int(turns) & 1) == 0 ? value : -value;
}

// As the sine, from the nearest odd multiple of π/2.
float accurateCosine(float x) {
    float turns = roundEven(x * 0.31830988618 - 0.5);
    float half_turns = turns + 0.5;
    float r = fma(half_turns, -3.140625, x);
    r = fma(half_turns, -9.67502593994140625e-4, r);
    r = fma(half_turns, -1.509957990978376432e-7, r);
    float s = r * r;
    float series = ((((-2.5052108e-8 * s + 2.7557319e-6) * s - 1.9841270e-4) * s + 8.3333333e-3) * s - 1.6666667e-1) * s;
    float value = r + r * series;
    return (int(turns) & 1) == 0 ? -value : value;
}

float sigmoid(float x) { return 1.0 / (1.0 + exp(-x)); }

float function(int number, float x) {
    switch (number) {
        case 1: return exp(x);
        case 2: return sqrt(x);
        case 3: return accurateSine(x);
        case 4: return accurateCosine(x);
        case 5: return sigmoid(x);
        case 6: return 1.0 - 2.0 / (exp(2.0 * clamp(x, -20.0, 20.0)) + 1.0);
        case 7: return errorFunction(x);
        case 8: return roundEven(x);
        case 9: return x * sigmoid(x);
        case 10: return 0.5 * x * (1.0 + errorFunction(x * 0.70710678118));
        case 11: return x * sigmoid(1.702 * x);
        default: return x;
    }
}
