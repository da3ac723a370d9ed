#ifndef EASEL_ARITHMETIC_H
#define EASEL_ARITHMETIC_H

#include <stddef.h>
#include <stdint.h>

// Loops over many numbers, each compiled for several kinds of processor, of which the one at hand is taken when the
// program starts.

/// Adds `factor` times the product of two matrices in rows, `left` [rows, depth] and `right` [depth, width], to `result`
/// [rows, width].
void easel_add_product(const float *left, const float *right, float *result, size_t rows, size_t depth,
                       size_t width, float factor);

/// The values of numbers of half precision, exactly, from any place in memory.
void easel_floats_from_halves(const void *halves, float *floats, size_t count);

/// The nearest numbers of half precision, of two the even one; infinite beyond their range; to any
/// place in memory.
void easel_halves_from_floats(const float *floats, void *halves, size_t count);

/// The greatest magnitude among numbers: infinite or NaN where one of them is; 0 of none.
float easel_greatest_magnitude(const float *floats, size_t count);

/// The nearest integers to `factor` times each finite number, of two the even one; from -127 to 127.
void easel_integers_from_floats(const float *floats, float factor, int8_t *integers, size_t count);

/// The number of the greatest magnitude, the first of several; infinite or NaN where one of them is; 0 of none.
float easel_greatest_in_magnitude(const float *floats, size_t count);

/// The nearest integers to `factor` times each finite number, of two the greater one; from -8 to 7.
void easel_four_bits_from_floats(const float *floats, float factor, int8_t *integers, size_t count);

/// Integers from -8 to 7, two a byte, the first in its lower half.
void easel_pack_four_bits(const int8_t *integers, void *bytes, size_t count);

#endif
