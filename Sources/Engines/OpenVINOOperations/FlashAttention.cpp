#include "FlashAttention.h"

#include "AttentionBlocks.h"
#include "Workers.h"

#if defined(__x86_64__)

#include <cmath>

// Scores and weighted values are products of pairs: two neighbouring numbers of a head, or two neighbouring keys.
#define EASEL_VECTORS __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")))
#define EASEL_INLINE EASEL_VECTORS inline __attribute__((always_inline))

namespace easel {
namespace {

// So many keys' scores, and the powers made of them, are in the first cache at a time.
constexpr std::size_t keyBlock = 112;

// A head's keys, one behind the other, and its values as pairs of keys, with a column of ones, so that the sum of the
// powers is one more weighted value.
struct PackedHeads {
    std::size_t keys, size, width;
    Buffer<bfloat16> key;
    Buffer<std::uint32_t> value;

    explicit PackedHeads(const AttentionShape &shape)
        : keys(roundedUp(shape.keys, keyTile)), size(shape.size), width(roundedUp(shape.size + 1, sumTile)),
          key(buffer<bfloat16>(shape.batch * shape.heads * keys * size)),
          value(buffer<std::uint32_t>(shape.batch * shape.heads * keys / 2 * width)) {}

    const bfloat16 *keysOf(std::size_t head) const { return key.get() + head * keys * size; }
    const std::uint32_t *valuesOf(std::size_t head) const { return value.get() + head * keys / 2 * width; }

    void pack(std::size_t head, const bfloat16 *from, const bfloat16 *values, std::size_t count, std::size_t stride) {
        bfloat16 *rows = key.get() + head * keys * size;
        std::uint32_t *pairs = value.get() + head * keys / 2 * width;
        // The last key again, where a tile has more: its score changes no maximum, and its value is zero.
        for (std::size_t index = 0; index < keys; index++)
            std::memcpy(
                rows + index * size, from + (index < count ? index : count - 1) * stride, size * sizeof(bfloat16));
        for (std::size_t index = 0; index < keys; index += 2) {
            std::uint32_t *row = pairs + index / 2 * width;
            const bool hasFirst = index < count, hasSecond = index + 1 < count;
            const bfloat16 *first = values + index * stride, *second = first + stride;
            for (std::size_t place = 0; place < size; place++)
                row[place] = (hasFirst ? std::uint32_t(first[place]) : 0)
                    | (hasSecond ? std::uint32_t(second[place]) << 16 : 0);
            row[size] = (hasFirst ? 0x3F80u : 0) | (hasSecond ? 0x3F800000u : 0);
            for (std::size_t place = size + 1; place < width; place++) row[place] = 0;
        }
    }
};

// What a thread needs for a block of queries.
struct Workspace {
    Buffer<__m512i> queries;
    Buffer<float> scores;
    Buffer<__m512i> powers;
    Buffer<float> sums;

    Workspace(std::size_t size, std::size_t width)
        : queries(buffer<__m512i>(size / 2 * groups)), scores(buffer<float>(keyBlock * queryBlock)),
          powers(buffer<__m512i>(keyBlock / 2 * groups)), sums(buffer<float>(width * queryBlock)) {}
};

// sum += pairs of `left` times one pair of numbers, for each lane. (The compiler keeps the pair in a register where it
// is read in place at no cost, and then runs out of registers.)
EASEL_INLINE void multiplyAdd(__m512 &sum, __m512i left, const void *pair) {
    __asm__("vdpbf16ps %2%{1to16%}, %1, %0" : "+v"(sum) : "v"(left), "m"(*static_cast<const std::int32_t *>(pair)));
}

EASEL_INLINE void scoreTile(const bfloat16 *keys, std::size_t size, const __m512i *queries, float *scores) {
    __m512 sums[keyTile][groups];
    for (auto &row : sums)
        for (auto &sum : row) sum = _mm512_setzero_ps();
    for (std::size_t pair = 0; pair < size / 2; pair++) {
        const __m512i first = queries[pair * groups], second = queries[pair * groups + 1];
#pragma clang loop unroll(full)
        for (std::size_t key = 0; key < keyTile; key++) {
            multiplyAdd(sums[key][0], first, keys + key * size + 2 * pair);
            multiplyAdd(sums[key][1], second, keys + key * size + 2 * pair);
        }
    }
    for (std::size_t key = 0; key < keyTile; key++)
        for (std::size_t group = 0; group < groups; group++)
            _mm512_store_ps(scores + key * queryBlock + group * lanes, sums[key][group]);
}

EASEL_INLINE void sumUpTile(
    const __m512i *powers, const std::uint32_t *values, std::size_t width, std::size_t pairs, float *sums) {
    __m512 own[sumTile][groups];
    for (std::size_t place = 0; place < sumTile; place++)
        for (std::size_t group = 0; group < groups; group++)
            own[place][group] = _mm512_load_ps(sums + place * queryBlock + group * lanes);
    for (std::size_t pair = 0; pair < pairs; pair++) {
        const __m512i first = powers[pair * groups], second = powers[pair * groups + 1];
#pragma clang loop unroll(full)
        for (std::size_t place = 0; place < sumTile; place++) {
            multiplyAdd(own[place][0], first, values + pair * width + place);
            multiplyAdd(own[place][1], second, values + pair * width + place);
        }
    }
    for (std::size_t place = 0; place < sumTile; place++)
        for (std::size_t group = 0; group < groups; group++)
            _mm512_store_ps(sums + place * queryBlock + group * lanes, own[place][group]);
}

EASEL_VECTORS void packQueries(
    const bfloat16 *queries, std::size_t count, std::size_t stride, std::size_t size, __m512i *packed) {
    auto *pairs = reinterpret_cast<char *>(packed);
    for (std::size_t lane = 0; lane < queryBlock; lane++) {
        const bfloat16 *row = queries + (lane < count ? lane : count - 1) * stride;
        for (std::size_t pair = 0; pair < size / 2; pair++)
            std::memcpy(pairs + 4 * (pair * queryBlock + lane), row + 2 * pair, 4);
    }
}

// The results of up to 32 queries of a head.
EASEL_VECTORS void attendBlock(
    const PackedHeads &packed, std::size_t head, float scale, const bfloat16 *queries, bfloat16 *results,
    std::size_t count, std::size_t stride, Workspace &space) {
    const std::size_t size = packed.size, width = packed.width;
    packQueries(queries, count, stride, size, space.queries.get());
    float *scores = space.scores.get(), *sums = space.sums.get();
    std::memset(sums, 0, width * queryBlock * sizeof(float));
    // Powers of two are cheaper than those of e.
    const __m512 factor = _mm512_set1_ps(scale * 1.44269504f);
    __m512 greatest[groups] = {_mm512_set1_ps(-INFINITY), _mm512_set1_ps(-INFINITY)};
    for (std::size_t start = 0; start < packed.keys; start += keyBlock) {
        const std::size_t keys = packed.keys - start < keyBlock ? packed.keys - start : keyBlock;
        for (std::size_t key = 0; key < keys; key += keyTile)
            scoreTile(
                packed.keysOf(head) + (start + key) * size, size, space.queries.get(), scores + key * queryBlock);
        for (std::size_t group = 0; group < groups; group++) {
            const float *own = scores + group * lanes;
            __m512 top[4];
            for (std::size_t part = 0; part < 4; part++) top[part] = _mm512_load_ps(own + part * queryBlock);
            for (std::size_t key = 4; key < keys; key += 4)
                for (std::size_t part = 0; part < 4; part++)
                    top[part] = _mm512_max_ps(top[part], _mm512_load_ps(own + (key + part) * queryBlock));
            const __m512 block = _mm512_mul_ps(
                _mm512_max_ps(_mm512_max_ps(top[0], top[1]), _mm512_max_ps(top[2], top[3])), factor);
            if (!_mm512_cmp_ps_mask(block, greatest[group], _CMP_GT_OQ)) continue;
            const __m512 next = _mm512_max_ps(greatest[group], block);
            if (start > 0) {
                const __m512 change = power(_mm512_sub_ps(greatest[group], next));
                for (std::size_t place = 0; place < width; place++) {
                    float *sum = sums + place * queryBlock + group * lanes;
                    _mm512_store_ps(sum, _mm512_mul_ps(_mm512_load_ps(sum), change));
                }
            }
            greatest[group] = next;
        }
        for (std::size_t pair = 0; pair < keys / 2; pair++)
            for (std::size_t group = 0; group < groups; group++) {
                const float *own = scores + 2 * pair * queryBlock + group * lanes;
                const __m512i even = _mm512_castps_si512(
                    power(_mm512_fmsub_ps(_mm512_load_ps(own), factor, greatest[group])));
                const __m512i odd = _mm512_castps_si512(
                    power(_mm512_fmsub_ps(_mm512_load_ps(own + queryBlock), factor, greatest[group])));
                // The upper halves, cut off and not rounded: their own sum is what they are divided by.
                space.powers[pair * groups + group] = _mm512_or_si512(
                    _mm512_srli_epi32(even, 16), _mm512_and_si512(odd, _mm512_set1_epi32(int(0xFFFF0000))));
            }
        const std::uint32_t *values = packed.valuesOf(head) + start / 2 * width;
        for (std::size_t place = 0; place < width; place += sumTile)
            sumUpTile(space.powers.get(), values + place, width, keys / 2, sums + place * queryBlock);
    }
    writeResults(sums, nullptr, results, count, stride, size);
}

}  // namespace

bool canAttend(const AttentionShape &shape) {
    return shape.size % 2 == 0 && shape.size > 0 && shape.keys > 0 && __builtin_cpu_supports("avx512bf16")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512bw");
}

void attend(
    const AttentionShape &shape, float scale, const bfloat16 *queries, const bfloat16 *keys, const bfloat16 *values,
    bfloat16 *results, unsigned threads) {
    PackedHeads packed(shape);
    forEachHead(shape, threads, [&](std::size_t head, std::size_t start, std::size_t stride) {
        packed.pack(head, keys + start, values + start, shape.keys, stride);
    });
    forEachBlock(shape, threads, [&] {
        return [&, space = std::make_shared<Workspace>(shape.size, packed.width)](
                   std::size_t head, std::size_t start, std::size_t count, std::size_t stride) {
            attendBlock(packed, head, scale, queries + start, results + start, count, stride, *space);
        };
    });
}

}  // namespace easel

#else

namespace easel {

bool canAttend(const AttentionShape &) { return false; }

void attend(
    const AttentionShape &, float, const bfloat16 *, const bfloat16 *, const bfloat16 *, bfloat16 *, unsigned) {}

}  // namespace easel

#endif
