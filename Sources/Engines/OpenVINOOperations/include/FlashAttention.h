// Attention of bfloat16 numbers without a matrix of scores in memory, for processors with AVX-512's products of bfloat16.
#ifndef EASEL_FLASH_ATTENTION_H
#define EASEL_FLASH_ATTENTION_H

#ifdef __cplusplus

#include <cstddef>
#include <cstdint>

namespace easel {

using bfloat16 = std::uint16_t;

// The operands: queries and results [batch, queries, heads, size], keys and values [batch, keys, heads, size].
struct AttentionShape {
    std::size_t batch, heads, queries, keys, size;
};

// Whether this processor can, for heads of that size: an even number.
bool canAttend(const AttentionShape &shape);

// softmax(Q Kᵀ · scale) V for each head, by Dao et al. 2022, "FlashAttention", algorithm 1, on so many threads.
void attend(
    const AttentionShape &shape, float scale, const bfloat16 *queries, const bfloat16 *keys, const bfloat16 *values,
    bfloat16 *results, unsigned threads);

// The longest head that fits the first cache with its scores. The same as `FlashAttention.longestHead` in
// Engines/OpenVINO, which chooses this operation.
constexpr std::size_t longestHead = 160;

// Whether this processor can do the same with products of 8-bit integers.
bool canAttendInIntegers(const AttentionShape &shape);

// The same as `attend` in 8-bit integers, with a scale for each query, each head's keys, and each number of a head's
// values, after Zhang et al. 2024, "SageAttention"; powers have a scale for each query and block of keys.
void attendInIntegers(
    const AttentionShape &shape, float scale, const bfloat16 *queries, const bfloat16 *keys, const bfloat16 *values,
    bfloat16 *results, unsigned threads);

}  // namespace easel

#endif
#endif
