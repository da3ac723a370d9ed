#include "AttentionBlocks.h"
#include "FlashAttention.h"
#include "Workers.h"

#if defined(__x86_64__)

#include <cmath>

#define EASEL_VECTORS \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx512vnni")))
#define EASEL_INLINE EASEL_VECTORS inline __attribute__((always_inline))

namespace easel {
namespace {

// As for bfloat16, but for smaller keys, values and powers.
constexpr std::size_t keyBlock = 160;

// What vectors of sixteen numbers are read and written with, where fewer are left.
EASEL_INLINE __mmask16 firstLanes(std::size_t count) { return count < lanes ? (1u << count) - 1 : 0xFFFF; }

EASEL_INLINE __m512 widened(const bfloat16 *numbers, __mmask16 mask) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, numbers)), 16));
}

constexpr float leastScale = 1e-20f;

float positive(float scale) { return scale > leastScale ? scale : leastScale; }

// A head's keys as integers, less their mean, which adds the same to every score of a query; and its values as quads of
// keys, each of a head's numbers with a scale of its own, and a column of ones.
struct IntegerHeads {
    std::size_t keys, size, width, quads;
    Buffer<std::int8_t> key, value;
    // What the queries' zero, 128, adds to each key's scores, taken off.
    Buffer<std::int32_t> offset;
    Buffer<float> keyScale, valueScale;

    explicit IntegerHeads(const AttentionShape &shape)
        : keys(roundedUp(shape.keys, keyTile)), size(shape.size), width(roundedUp(shape.size + 1, sumTile)),
          quads(roundedUp(shape.size, 4) / 4), key(buffer<std::int8_t>(shape.batch * shape.heads * keys * quads * 4)),
          value(buffer<std::int8_t>(shape.batch * shape.heads * keys * width)),
          offset(buffer<std::int32_t>(shape.batch * shape.heads * keys)),
          keyScale(buffer<float>(shape.batch * shape.heads)),
          valueScale(buffer<float>(shape.batch * shape.heads * width)) {}

    EASEL_VECTORS void packKeys(std::size_t head, const bfloat16 *from, std::size_t count, std::size_t stride) {
        alignas(64) float mean[longestHead];
        __m512 greatest = _mm512_setzero_ps();
        for (std::size_t place = 0; place < size; place += lanes) {
            const __mmask16 mask = firstLanes(size - place);
            __m512 sum = _mm512_setzero_ps(), most = _mm512_set1_ps(-INFINITY), least = _mm512_set1_ps(INFINITY);
            for (std::size_t index = 0; index < count; index++) {
                const __m512 numbers = widened(from + index * stride + place, mask);
                sum = _mm512_add_ps(sum, numbers);
                most = _mm512_max_ps(most, numbers);
                least = _mm512_min_ps(least, numbers);
            }
            const __m512 middle = _mm512_mul_ps(sum, _mm512_set1_ps(1 / float(count)));
            _mm512_store_ps(mean + place, middle);
            greatest = _mm512_max_ps(
                greatest, _mm512_max_ps(_mm512_sub_ps(most, middle), _mm512_sub_ps(middle, least)));
        }
        const float scale = positive(_mm512_reduce_max_ps(greatest)) / 127;
        keyScale[head] = scale;
        const __m512 factor = _mm512_set1_ps(1 / scale);
        std::int8_t *rows = key.get() + head * keys * quads * 4;
        for (std::size_t index = 0; index < keys; index++) {
            const bfloat16 *row = from + (index < count ? index : count - 1) * stride;
            __m512i sum = _mm512_setzero_si512();
            for (std::size_t place = 0; place < size; place += lanes) {
                const __mmask16 mask = firstLanes(size - place);
                const __m512i rounded = _mm512_maskz_cvtps_epi32(
                    mask, _mm512_mul_ps(_mm512_sub_ps(widened(row + place, mask), _mm512_load_ps(mean + place)), factor));
                sum = _mm512_add_epi32(sum, rounded);
                _mm512_mask_cvtsepi32_storeu_epi8(
                    rows + index * quads * 4 + place, firstLanes(quads * 4 - place), rounded);
            }
            offset[head * keys + index] = -128 * _mm512_reduce_add_epi32(sum);
        }
    }

    EASEL_VECTORS void packValues(std::size_t head, const bfloat16 *from, std::size_t count, std::size_t stride) {
        std::int8_t *quad = value.get() + head * keys * width;
        float *scales = valueScale.get() + head * width;
        for (std::size_t place = 0; place < width; place += lanes) {
            const __mmask16 mask = place < size ? firstLanes(size - place) : 0;
            const __mmask16 ones = size - place < lanes ? 1u << (size - place) : 0;
            __m512 greatest = _mm512_setzero_ps();
            for (std::size_t index = 0; index < count; index++)
                greatest = _mm512_max_ps(greatest, _mm512_abs_ps(widened(from + index * stride + place, mask)));
            greatest = _mm512_max_ps(greatest, _mm512_set1_ps(leastScale));
            const __m512 scale = _mm512_mul_ps(greatest, _mm512_set1_ps(1.0f / 127));
            const __m512 factor = _mm512_div_ps(_mm512_set1_ps(127), greatest);
            _mm512_mask_storeu_ps(scales + place, firstLanes(width - place), scale);
            for (std::size_t first = 0; first < keys; first += 4) {
                __m512i four = _mm512_setzero_si512();
                for (std::size_t index = first; index < first + 4 && index < count; index++) {
                    __m512i rounded = _mm512_maskz_cvtps_epi32(
                        mask, _mm512_mul_ps(widened(from + index * stride + place, mask), factor));
                    rounded = _mm512_mask_mov_epi32(rounded, ones, _mm512_set1_epi32(1));
                    four = _mm512_or_si512(
                        four, _mm512_sllv_epi32(_mm512_and_si512(rounded, _mm512_set1_epi32(0xFF)),
                                                _mm512_set1_epi32(int(8 * (index - first)))));
                }
                _mm512_mask_storeu_epi32(quad + first * width + place * 4, firstLanes(width - place), four);
            }
        }
    }
};

struct IntegerWorkspace {
    Buffer<__m512i> queries;
    Buffer<float> queryScales;
    Buffer<std::int32_t> scores;
    Buffer<__m512i> powers;
    Buffer<float> sums;

    IntegerWorkspace(std::size_t quads, std::size_t width)
        : queries(buffer<__m512i>(quads * groups)), queryScales(buffer<float>(queryBlock)),
          scores(buffer<std::int32_t>(keyBlock * queryBlock)), powers(buffer<__m512i>(keyBlock / 4 * groups)),
          sums(buffer<float>(width * queryBlock)) {}
};

// sum += quads of `left` times one quad of numbers, for each lane.
EASEL_INLINE void multiplyAdd(__m512i &sum, __m512i left, const std::int8_t *quad) {
    __asm__("vpdpbusd %2%{1to16%}, %1, %0"
            : "+v"(sum)
            : "v"(left), "m"(*reinterpret_cast<const std::int32_t *>(quad)));
}

EASEL_INLINE void scoreTile(
    const std::int8_t *keys, const std::int32_t *offsets, std::size_t quads, const __m512i *queries,
    std::int32_t *scores) {
    __m512i sums[keyTile][groups];
    for (std::size_t key = 0; key < keyTile; key++)
        for (auto &sum : sums[key]) sum = _mm512_set1_epi32(offsets[key]);
    for (std::size_t quad = 0; quad < quads; quad++) {
        const __m512i first = queries[quad * groups], second = queries[quad * groups + 1];
#pragma clang loop unroll(full)
        for (std::size_t key = 0; key < keyTile; key++) {
            multiplyAdd(sums[key][0], first, keys + (key * quads + quad) * 4);
            multiplyAdd(sums[key][1], second, keys + (key * quads + quad) * 4);
        }
    }
    for (std::size_t key = 0; key < keyTile; key++)
        for (std::size_t group = 0; group < groups; group++)
            _mm512_store_si512(scores + key * queryBlock + group * lanes, sums[key][group]);
}

EASEL_INLINE void sumUpTile(
    const __m512i *powers, const std::int8_t *values, std::size_t width, std::size_t quads, const __m512 *weights,
    float *sums) {
    __m512i own[sumTile][groups];
    for (auto &row : own)
        for (auto &sum : row) sum = _mm512_setzero_si512();
    for (std::size_t quad = 0; quad < quads; quad++) {
        const __m512i first = powers[quad * groups], second = powers[quad * groups + 1];
#pragma clang loop unroll(full)
        for (std::size_t place = 0; place < sumTile; place++) {
            multiplyAdd(own[place][0], first, values + (quad * width + place) * 4);
            multiplyAdd(own[place][1], second, values + (quad * width + place) * 4);
        }
    }
    for (std::size_t place = 0; place < sumTile; place++)
        for (std::size_t group = 0; group < groups; group++) {
            float *sum = sums + place * queryBlock + group * lanes;
            _mm512_store_ps(
                sum, _mm512_fmadd_ps(_mm512_cvtepi32_ps(own[place][group]), weights[group], _mm512_load_ps(sum)));
        }
}

// Each query with a scale of its own, its zero at 128.
EASEL_VECTORS void packQueries(
    const bfloat16 *queries, std::size_t count, std::size_t stride, std::size_t size, std::size_t quads,
    IntegerWorkspace &space) {
    alignas(64) std::uint8_t bytes[roundedUp(longestHead, lanes)];
    auto *packed = reinterpret_cast<std::uint8_t *>(space.queries.get());
    for (std::size_t lane = 0; lane < queryBlock; lane++) {
        const bfloat16 *row = queries + (lane < count ? lane : count - 1) * stride;
        __m512 greatest = _mm512_setzero_ps();
        for (std::size_t place = 0; place < size; place += lanes)
            greatest = _mm512_max_ps(greatest, _mm512_abs_ps(widened(row + place, firstLanes(size - place))));
        const float most = positive(_mm512_reduce_max_ps(greatest));
        space.queryScales[lane] = most / 127;
        for (std::size_t place = 0; place < size; place += lanes) {
            const __m512i rounded = _mm512_cvtps_epi32(
                _mm512_mul_ps(widened(row + place, firstLanes(size - place)), _mm512_set1_ps(127 / most)));
            _mm_store_si128(
                reinterpret_cast<__m128i *>(bytes + place),
                _mm512_cvtepi32_epi8(_mm512_add_epi32(rounded, _mm512_set1_epi32(128))));
        }
        for (std::size_t quad = 0; quad < quads; quad++)
            std::memcpy(packed + 4 * (quad * queryBlock + lane), bytes + 4 * quad, 4);
    }
}

// 255 · 2^(-n/64), times 256.
struct PowerTable {
    alignas(64) std::uint16_t numbers[64];
    PowerTable() {
        for (int index = 0; index < 64; index++)
            numbers[index] = std::uint16_t(std::lround(255 * 256 * std::exp2(-index / 64.0)));
    }
};
const PowerTable powerTable;

// 255 times 2 to the power of minus (`distances` / 64), rounded; sixteen bits each, of which the upper eight count.
EASEL_INLINE __m512i powers(__m512i distances, __m512i low, __m512i high) {
    const __m512i fractions = _mm512_permutex2var_epi16(low, distances, high);
    return _mm512_add_epi16(
        _mm512_srlv_epi16(fractions, _mm512_srli_epi16(distances, 6)), _mm512_set1_epi16(128));
}

// For each lane a quad of bytes: the powers of four keys' scores, the greatest being 255.
EASEL_INLINE __m512i powersOfFour(
    const std::int32_t *scores, __m512 factor, __m512 top, __m512i low, __m512i high) {
    __m512i distances[4];
    for (std::size_t key = 0; key < 4; key++)
        distances[key] = _mm512_cvtps_epi32(_mm512_fnmadd_ps(
            _mm512_cvtepi32_ps(_mm512_load_si512(scores + key * queryBlock)), factor, top));
    const __m512i even = powers(_mm512_packus_epi32(distances[0], distances[2]), low, high);
    const __m512i odd = powers(_mm512_packus_epi32(distances[1], distances[3]), low, high);
    const __m512i bytes = _mm512_ternarylogic_epi32(
        _mm512_srli_epi16(even, 8), odd, _mm512_set1_epi16(short(0xFF00)), 0xF8);
    const __m512i order = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15));
    return _mm512_shuffle_epi8(bytes, order);
}

// The results of up to 32 queries of a head.
EASEL_VECTORS void attendBlock(
    const IntegerHeads &packed, std::size_t head, float scale, const bfloat16 *queries, bfloat16 *results,
    std::size_t count, std::size_t stride, IntegerWorkspace &space) {
    const std::size_t size = packed.size, width = packed.width, quads = packed.quads;
    packQueries(queries, count, stride, size, quads, space);
    std::int32_t *scores = space.scores.get();
    float *sums = space.sums.get();
    std::memset(sums, 0, width * queryBlock * sizeof(float));
    const __m512i low = _mm512_load_si512(powerTable.numbers), high = _mm512_load_si512(powerTable.numbers + 32);
    // From integers to sixty-fourths of powers of two.
    __m512 factors[groups], greatest[groups];
    for (std::size_t group = 0; group < groups; group++) {
        factors[group] = _mm512_mul_ps(
            _mm512_load_ps(space.queryScales.get() + group * lanes),
            _mm512_set1_ps(scale * 1.44269504f * 64 * packed.keyScale[head]));
        greatest[group] = _mm512_set1_ps(-INFINITY);
    }
    for (std::size_t start = 0; start < packed.keys; start += keyBlock) {
        const std::size_t keys = packed.keys - start < keyBlock ? packed.keys - start : keyBlock;
        const std::size_t row = head * packed.keys + start;
        for (std::size_t key = 0; key < keys; key += keyTile)
            scoreTile(
                packed.key.get() + (row + key) * quads * 4, packed.offset.get() + row + key, quads,
                space.queries.get(), scores + key * queryBlock);
        __m512 weights[groups];
        for (std::size_t group = 0; group < groups; group++) {
            const std::int32_t *own = scores + group * lanes;
            __m512i tops[4];
            for (std::size_t part = 0; part < 4; part++) tops[part] = _mm512_load_si512(own + part * queryBlock);
            for (std::size_t key = 4; key < keys; key += 4)
                for (std::size_t part = 0; part < 4; part++)
                    tops[part] = _mm512_max_epi32(tops[part], _mm512_load_si512(own + (key + part) * queryBlock));
            const __m512 top = _mm512_mul_ps(
                _mm512_cvtepi32_ps(_mm512_max_epi32(
                    _mm512_max_epi32(tops[0], tops[1]), _mm512_max_epi32(tops[2], tops[3]))),
                factors[group]);
            if (_mm512_cmp_ps_mask(top, greatest[group], _CMP_GT_OQ)) {
                const __m512 next = _mm512_max_ps(greatest[group], top);
                if (start > 0) {
                    const __m512 change = power(_mm512_mul_ps(
                        _mm512_sub_ps(greatest[group], next), _mm512_set1_ps(1.0f / 64)));
                    for (std::size_t place = 0; place < width; place++) {
                        float *sum = sums + place * queryBlock + group * lanes;
                        _mm512_store_ps(sum, _mm512_mul_ps(_mm512_load_ps(sum), change));
                    }
                }
                greatest[group] = next;
            }
            // A block's own greatest power is 255, so that a key attended to closely does not hide the keys of others.
            weights[group] = power(_mm512_mul_ps(_mm512_sub_ps(top, greatest[group]), _mm512_set1_ps(1.0f / 64)));
            for (std::size_t quad = 0; quad < keys / 4; quad++)
                space.powers[quad * groups + group] =
                    powersOfFour(own + 4 * quad * queryBlock, factors[group], top, low, high);
        }
        const std::int8_t *values = packed.value.get() + row * width;
        for (std::size_t place = 0; place < width; place += sumTile)
            sumUpTile(
                space.powers.get(), values + place * 4, width, keys / 4, weights, sums + place * queryBlock);
    }
    writeResults(sums, packed.valueScale.get() + head * width, results, count, stride, size);
}

}  // namespace

bool canAttendInIntegers(const AttentionShape &shape) {
    return canAttend(shape) && shape.size <= longestHead && __builtin_cpu_supports("avx512vnni");
}

void attendInIntegers(
    const AttentionShape &shape, float scale, const bfloat16 *queries, const bfloat16 *keys, const bfloat16 *values,
    bfloat16 *results, unsigned threads) {
    IntegerHeads packed(shape);
    forEachHead(shape, threads, [&](std::size_t head, std::size_t start, std::size_t stride) {
        packed.packKeys(head, keys + start, shape.keys, stride);
        packed.packValues(head, values + start, shape.keys, stride);
    });
    forEachBlock(shape, threads, [&] {
        return [&, space = std::make_shared<IntegerWorkspace>(packed.quads, packed.width)](
                   std::size_t head, std::size_t start, std::size_t count, std::size_t stride) {
            attendBlock(packed, head, scale, queries + start, results + start, count, stride, *space);
        };
    });
}

}  // namespace easel

#else

namespace easel {

bool canAttendInIntegers(const AttentionShape &) { return false; }

void attendInIntegers(
    const AttentionShape &, float, const bfloat16 *, const bfloat16 *, const bfloat16 *, bfloat16 *, unsigned) {}

}  // namespace easel

#endif
