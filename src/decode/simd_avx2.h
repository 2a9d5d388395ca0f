/* simd_avx2: the operations of decode/simd with AVX2, BMI2 and PCLMULQDQ. */
#include "decode/simd.h"

#include <immintrin.h>

#define SIMD_LANES 4

typedef struct {
    __m256i low, high;
} simd_block;
typedef uint64_t simd_masks __attribute__((vector_size(32)));

SIMD_INLINE simd_block simd_load(const uint8_t *p)
{
    const __m256i *from = (const __m256i *)(const void *)p;
    return (simd_block){_mm256_loadu_si256(from), _mm256_loadu_si256(from + 1)};
}

SIMD_INLINE __m256i avx2_each(uint8_t c)
{
    return _mm256_set1_epi32((int)simd_bytes[c]);
}

SIMD_INLINE uint64_t avx2_mask(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) |
           (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

SIMD_INLINE uint64_t simd_eq(simd_block b, uint8_t c)
{
    __m256i v = avx2_each(c);
    return avx2_mask(_mm256_cmpeq_epi8(b.low, v), _mm256_cmpeq_epi8(b.high, v));
}

/* Above `low` by at most `span`: the smaller of the two is the first. From 0x80
 * on the sign of the bytes says it. */
SIMD_INLINE uint64_t simd_range(simd_block b, uint8_t low, uint8_t high)
{
    if (low == 0x80 && high == 0xff)
        return avx2_mask(b.low, b.high);
    __m256i least = avx2_each(low);
    __m256i span = avx2_each((uint8_t)(high - low));
    __m256i x = _mm256_sub_epi8(b.low, least);
    __m256i y = _mm256_sub_epi8(b.high, least);
    return avx2_mask(_mm256_cmpeq_epi8(_mm256_min_epu8(x, span), x),
                     _mm256_cmpeq_epi8(_mm256_min_epu8(y, span), y));
}

/* Shifted to the top of each byte. */
SIMD_INLINE uint64_t simd_bit(simd_block b, unsigned k)
{
    int up = 7 - (int)k;
    return avx2_mask(_mm256_slli_epi16(b.low, up),
                     _mm256_slli_epi16(b.high, up));
}

SIMD_INLINE simd_block simd_lower(simd_block b)
{
    __m256i v = avx2_each(0x20);
    return (simd_block){_mm256_or_si256(b.low, v), _mm256_or_si256(b.high, v)};
}

#include "decode/simd_utf8.h"

SIMD_INLINE __m256i avx2_look_up(__m128i table, __m256i at)
{
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(table), at);
}

/* All ones where the UTF-8 of b is right, which comes behind `before`. */
SIMD_INLINE __m256i avx2_right_utf8(__m256i b, __m256i before)
{
    const __m256i half = avx2_each(0x0f);
    __m256i lanes = _mm256_permute2x128_si256(before, b, 0x21);
    __m256i first = _mm256_alignr_epi8(b, lanes, 15); /* the byte before each */
    __m256i wrong =
        avx2_look_up(_mm_setr_epi8(UTF8_FIRST_HIGH),
                     _mm256_and_si256(_mm256_srli_epi16(first, 4), half));
    wrong =
        _mm256_and_si256(wrong, avx2_look_up(_mm_setr_epi8(UTF8_FIRST_LOW),
                                             _mm256_and_si256(first, half)));
    wrong = _mm256_and_si256(
        wrong, avx2_look_up(_mm_setr_epi8(UTF8_SECOND_HIGH),
                            _mm256_and_si256(_mm256_srli_epi16(b, 4), half)));
    /* The third byte of three and the fourth of four: two that continue. */
    __m256i three = _mm256_subs_epu8(_mm256_alignr_epi8(b, lanes, 14),
                                     avx2_each(0xe0 - 0x80));
    __m256i four = _mm256_subs_epu8(_mm256_alignr_epi8(b, lanes, 13),
                                    avx2_each(0xf0 - 0x80));
    __m256i due =
        _mm256_and_si256(_mm256_or_si256(three, four), avx2_each(0x80));
    return _mm256_cmpeq_epi8(wrong, due);
}

SIMD_INLINE uint64_t simd_wrong_utf8(simd_block b, simd_block before)
{
    return ~avx2_mask(avx2_right_utf8(b.low, before.high),
                      avx2_right_utf8(b.high, b.low));
}

SIMD_INLINE uint64_t simd_spread(uint64_t bits, uint64_t m)
{
    return _pdep_u64(bits, m);
}

SIMD_INLINE unsigned simd_count(uint64_t m)
{
    return (unsigned)_mm_popcnt_u64(m);
}

/* Each byte counts for itself, up to 255. */
SIMD_INLINE unsigned simd_count_eq(const uint8_t *p, size_t n, uint8_t c)
{
    const __m256i v = avx2_each(c), none = _mm256_setzero_si256();
    __m256i low = none, high = none;
    for (size_t at = 0; at < n; at += 64) {
        simd_block b = simd_load(p + at);
        low = _mm256_sub_epi8(low, _mm256_cmpeq_epi8(b.low, v));
        high = _mm256_sub_epi8(high, _mm256_cmpeq_epi8(b.high, v));
    }
    __m256i sums = _mm256_add_epi64(_mm256_sad_epu8(low, none),
                                    _mm256_sad_epu8(high, none));
    return (unsigned)(_mm256_extract_epi64(sums, 0) +
                      _mm256_extract_epi64(sums, 1) +
                      _mm256_extract_epi64(sums, 2) +
                      _mm256_extract_epi64(sums, 3));
}

#include "decode/simd_places.h"

SIMD_INLINE bool simd_any(simd_masks m)
{
    return !_mm256_testz_si256((__m256i)m, (__m256i)m);
}

SIMD_INLINE simd_masks simd_join(const uint64_t m[SIMD_LANES])
{
    return (simd_masks){m[0], m[1], m[2], m[3]};
}

SIMD_INLINE simd_masks simd_from(simd_masks m, simd_masks before)
{
    __m256i middle =
        _mm256_permute2x128_si256((__m256i)before, (__m256i)m, 0x21);
    return (simd_masks)_mm256_alignr_epi8((__m256i)m, middle, 8);
}

SIMD_INLINE simd_masks simd_behind(simd_masks m, simd_masks before)
{
    return m << 1 | simd_from(m, before) >> 63;
}

/* All ones in each of four masks that the lowest four of `bits` have set: what
 * is read takes less time than what is computed here. */
SIMD_INLINE __m256i avx2_lanes(unsigned bits)
{
    static const int64_t lanes[16][4] = {
        {0, 0, 0, 0},   {-1, 0, 0, 0},   {0, -1, 0, 0},   {-1, -1, 0, 0},
        {0, 0, -1, 0},  {-1, 0, -1, 0},  {0, -1, -1, 0},  {-1, -1, -1, 0},
        {0, 0, 0, -1},  {-1, 0, 0, -1},  {0, -1, 0, -1},  {-1, -1, 0, -1},
        {0, 0, -1, -1}, {-1, 0, -1, -1}, {0, -1, -1, -1}, {-1, -1, -1, -1},
    };
    return _mm256_loadu_si256((const __m256i *)(const void *)lanes[bits & 15]);
}

SIMD_INLINE unsigned avx2_tops(__m256i m)
{
    return (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(m));
}

/* All masks are added at once. One that overflows carries into the next, and
 * through those that are all ones; the carries of all are a sum of their own,
 * of 4 bits. The top bit of a sum is less than those of its terms say if it
 * overflows. */
SIMD_INLINE simd_masks simd_add(simd_masks a, simd_masks b, unsigned *carry)
{
    simd_masks sum = a + b;
    unsigned over = avx2_tops((__m256i)((a & b) | ((a | b) & ~sum)));
    unsigned full =
        avx2_tops(_mm256_cmpeq_epi64((__m256i)sum, _mm256_set1_epi64x(-1)));
    unsigned carries = (over << 1 | *carry) + full;
    *carry = carries >> 4;
    return sum - (simd_masks)avx2_lanes(carries ^ full); /* less -1 */
}

/* Within masks by shifts, of which each doubles the reach; then the parity of
 * each mask is that of all before it. */
SIMD_INLINE simd_masks simd_parity(simd_masks m, unsigned *carry)
{
    m ^= m << 1;
    m ^= m << 2;
    m ^= m << 4;
    m ^= m << 8;
    m ^= m << 16;
    m ^= m << 32;
    unsigned odd = avx2_tops((__m256i)m) << 1 | *carry;
    odd ^= odd << 1;
    odd ^= odd << 2;
    odd ^= odd << 4;
    *carry = odd >> 4 & 1;
    return m ^ (simd_masks)avx2_lanes(odd);
}
