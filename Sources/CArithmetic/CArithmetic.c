#include "CArithmetic.h"

#include <math.h>
#include <string.h>

// Only with ELF can the right one of several be chosen when the program is loaded.
#if defined(__x86_64__) && defined(__ELF__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

// As many columns as fill two lines of the cache; so many rows of sums stay in registers.
enum { panel = 32, group = 4, depth_block = 128, row_block = 64 };

FOR_EACH_PROCESSOR
static void add_block(const float *left, size_t depth, const float *packed, size_t count, float *result,
                      size_t rows, size_t width, float factor) {
    for (size_t row = 0; row < rows; row += group) {
        float sums[group][panel] = {{0}};
        const float *lines[group];
        // Behind the last row it is taken again, and its sums are left out.
        for (size_t line = 0; line < group; line++) {
            lines[line] = left + (row + line < rows ? row + line : rows - 1) * depth;
        }
        for (size_t inner = 0; inner < count; inner++) {
            for (size_t line = 0; line < group; line++) {
                float scale = lines[line][inner];
                for (size_t column = 0; column < panel; column++) {
                    sums[line][column] += scale * packed[inner * panel + column];
                }
            }
        }
        for (size_t line = 0; line < group && row + line < rows; line++) {
            float *target = result + (row + line) * width;
            for (size_t column = 0; column < panel; column++) target[column] += factor * sums[line][column];
        }
    }
}

void easel_add_product(const float *left, const float *right, float *result, size_t rows, size_t depth,
                       size_t width, float factor) {
    float packed[depth_block * panel];
    size_t whole = width / panel * panel;
    for (size_t start = 0; start < depth; start += depth_block) {
        size_t count = depth - start < depth_block ? depth - start : depth_block;
        for (size_t row = 0; row < rows; row += row_block) {
            size_t own = rows - row < row_block ? rows - row : row_block;
            for (size_t column = 0; column < whole; column += panel) {
                for (size_t inner = 0; inner < count; inner++) {
                    memcpy(packed + inner * panel, right + (start + inner) * width + column, sizeof(float) * panel);
                }
                add_block(left + row * depth + start, depth, packed, count, result + row * width + column, own,
                          width, factor);
            }
            for (size_t line = row; line < row + own; line++) {
                for (size_t column = whole; column < width; column++) {
                    float sum = 0;
                    for (size_t inner = start; inner < start + count; inner++) {
                        sum += left[line * depth + inner] * right[inner * width + column];
                    }
                    result[line * width + column] += factor * sum;
                }
            }
        }
    }
}

FOR_EACH_PROCESSOR
void easel_floats_from_halves(const void *halves, float *floats, size_t count) {
    for (size_t index = 0; index < count; index++) {
        uint16_t half;
        memcpy(&half, (const char *)halves + 2 * index, sizeof half);
        uint32_t magnitude = (uint32_t)(half & 0x7FFF) << 13;
        float value;
        memcpy(&value, &magnitude, sizeof value);
        // Moving the exponent field multiplies by 2^112; all ones in it stay all ones.
        value *= 0x1p112f;
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        bits = (half & 0x7C00) == 0x7C00 ? magnitude | 0x7F800000 : bits;
        bits |= (uint32_t)(half & 0x8000) << 16;
        memcpy(floats + index, &bits, sizeof bits);
    }
}

FOR_EACH_PROCESSOR
void easel_halves_from_floats(const float *floats, void *halves, size_t count) {
    for (size_t index = 0; index < count; index++) {
        uint32_t bits;
        memcpy(&bits, floats + index, sizeof bits);
        uint32_t magnitude = bits & 0x7FFFFFFF;
        uint32_t normal = (magnitude + 0xFFF + (magnitude >> 13 & 1) - 0x38000000) >> 13;
        // Below 2^-14 steps are all of 2^-24: adding 1/2 rounds to one, in the sum's last bits.
        float sum;
        memcpy(&sum, &magnitude, sizeof sum);
        sum += 0.5f;
        uint32_t small;
        memcpy(&small, &sum, sizeof small);
        small -= 0x3F000000;
        uint32_t half = magnitude < 0x38800000 ? small : normal;
        half = magnitude >= 0x47800000 ? 0x7C00 : half;
        half = magnitude > 0x7F800000 ? 0x7E00 : half;
        uint16_t result = (uint16_t)(half | (bits >> 16 & 0x8000));
        memcpy((char *)halves + 2 * index, &result, sizeof result);
    }
}

FOR_EACH_PROCESSOR
float easel_greatest_magnitude(const float *floats, size_t count) {
    // The bits of magnitudes are ordered as they are, NaN above all.
    int32_t greatest = 0;
    for (size_t index = 0; index < count; index++) {
        int32_t bits;
        memcpy(&bits, floats + index, sizeof bits);
        bits &= 0x7FFFFFFF;
        greatest = bits > greatest ? bits : greatest;
    }
    float value;
    memcpy(&value, &greatest, sizeof value);
    return value;
}

FOR_EACH_PROCESSOR
void easel_integers_from_floats(const float *floats, float factor, int8_t *integers, size_t count) {
    for (size_t index = 0; index < count; index++) {
        float scaled = floats[index] * factor;
        scaled = scaled > 127 ? 127 : scaled;
        scaled = scaled < -127 ? -127 : scaled;
        integers[index] = (int8_t)rintf(scaled);
    }
}

FOR_EACH_PROCESSOR
float easel_greatest_in_magnitude(const float *floats, size_t count) {
    float magnitude = easel_greatest_magnitude(floats, count);
    for (size_t index = 0; index < count; index++) {
        if (floats[index] == magnitude) return magnitude;
        if (floats[index] == -magnitude) return -magnitude;
    }
    return magnitude;
}

FOR_EACH_PROCESSOR
void easel_four_bits_from_floats(const float *floats, float factor, int8_t *integers, size_t count) {
    for (size_t index = 0; index < count; index++) {
        float scaled = floats[index] * factor;
        // In a statement of its own, so that no processor does both at once, which rounds otherwise.
        float level = scaled + 8.5f;
        level = level > 15 ? 15 : level;
        level = level < 0 ? 0 : level;
        integers[index] = (int8_t)((int32_t)level - 8);
    }
}

FOR_EACH_PROCESSOR
void easel_pack_four_bits(const int8_t *integers, void *bytes, size_t count) {
    uint8_t *pairs = bytes;
    for (size_t pair = 0; pair < count / 2; pair++) {
        pairs[pair] = (uint8_t)((integers[2 * pair] & 15) | (integers[2 * pair + 1] & 15) << 4);
    }
    if (count % 2) pairs[count / 2] = (uint8_t)(integers[count - 1] & 15);
}
