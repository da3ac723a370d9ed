// What the forms of attention on AVX-512 share: how queries and keys are cut into blocks, and what their sums are at the
// end.
#ifndef EASEL_ATTENTION_BLOCKS_H
#define EASEL_ATTENTION_BLOCKS_H

#if defined(__x86_64__)

#include <immintrin.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "FlashAttention.h"
#include "Workers.h"

namespace easel {

// Sixteen queries are the lanes of a vector: the greatest score, its power and the sums of a query stay in its lane, and
// no step goes across lanes.
constexpr std::size_t lanes = 16, groups = 2, queryBlock = lanes * groups;
// What a product of two tiles keeps in registers.
constexpr std::size_t keyTile = 8, sumTile = 14;

constexpr std::size_t roundedUp(std::size_t count, std::size_t multiple) {
    return (count + multiple - 1) / multiple * multiple;
}

struct Free {
    void operator()(void *memory) const { std::free(memory); }
};

template <typename Element>
using Buffer = std::unique_ptr<Element[], Free>;

template <typename Element>
Buffer<Element> buffer(std::size_t count) {
    void *memory = std::aligned_alloc(64, roundedUp(count * sizeof(Element), 64));
    if (memory == nullptr) throw std::bad_alloc();
    return Buffer<Element>(static_cast<Element *>(memory));
}

#define EASEL_SHARED __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16"))) inline

// 2 to the power of `x`, to some 1e-4 of it.
EASEL_SHARED __attribute__((always_inline)) __m512 power(__m512 x) {
    const __m512 whole = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const __m512 rest = _mm512_sub_ps(x, whole);
    __m512 value = _mm512_fmadd_ps(rest, _mm512_set1_ps(0.0555041f), _mm512_set1_ps(0.2402265f));
    value = _mm512_fmadd_ps(value, rest, _mm512_set1_ps(0.6931472f));
    value = _mm512_fmadd_ps(value, rest, _mm512_set1_ps(1));
    return _mm512_scalef_ps(value, whole);
}

// Writes a block's results: its weighted values `[size + 1, queryBlock]`, times the scales of a head's numbers, divided
// by the last row of them, the sum of the powers.
EASEL_SHARED void writeResults(
    const float *sums, const float *scales, bfloat16 *results, std::size_t count, std::size_t stride,
    std::size_t size) {
    __m512 factors[groups];
    for (std::size_t group = 0; group < groups; group++)
        factors[group] =
            _mm512_div_ps(_mm512_set1_ps(1), _mm512_load_ps(sums + size * queryBlock + group * lanes));
    alignas(64) bfloat16 column[queryBlock];
    for (std::size_t place = 0; place < size; place++) {
        const __m512 scale = _mm512_set1_ps(scales == nullptr ? 1 : scales[place]);
        for (std::size_t group = 0; group < groups; group++) {
            const __m512 value = _mm512_mul_ps(
                _mm512_load_ps(sums + place * queryBlock + group * lanes), _mm512_mul_ps(factors[group], scale));
            const __m256bh rounded = _mm512_cvtneps_pbh(value);
            std::memcpy(column + group * lanes, &rounded, sizeof rounded);
        }
        for (std::size_t lane = 0; lane < count; lane++) results[lane * stride + place] = column[lane];
    }
}

// Calls `body` with each head's index among all, where it starts in keys and values, and how far its rows are apart.
template <typename Body>
void forEachHead(const AttentionShape &shape, unsigned threads, Body body) {
    const std::size_t heads = shape.heads, stride = heads * shape.size;
    forEach(shape.batch * heads, threads, [&] {
        return [&](std::size_t head) {
            body(head, head / heads * shape.keys * stride + head % heads * shape.size, stride);
        };
    });
}

// Calls what `makeBody` gives on each thread with each block of queries: its head's index among all, where it starts in
// queries and results, how many queries it has, and how far they are apart.
template <typename MakeBody>
void forEachBlock(const AttentionShape &shape, unsigned threads, MakeBody makeBody) {
    const std::size_t heads = shape.heads, stride = heads * shape.size;
    const std::size_t blocks = roundedUp(shape.queries, queryBlock) / queryBlock;
    forEach(shape.batch * heads * blocks, threads, [&] {
        return [=, &shape, body = makeBody()](std::size_t task) mutable {
            const std::size_t head = task / blocks, first = task % blocks * queryBlock;
            const std::size_t count = shape.queries - first < queryBlock ? shape.queries - first : queryBlock;
            body(head, (head / heads * shape.queries + first) * stride + head % heads * shape.size, count, stride);
        };
    });
}

}  // namespace easel

#endif
#endif
