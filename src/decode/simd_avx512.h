/* simd_avx512: the operations of decode/simd with AVX-512 (F, BW, VBMI2), BMI2
 * and PCLMULQDQ: a comparison gives its mask at once. */
#include "decode/simd.h"

#include <immintrin.h>

#define SIMD_LANES 8

typedef __m512i simd_block;
typedef uint64_t simd_masks __attribute__((vector_size(64)));

SIMD_INLINE simd_block avx512_each(uint8_t c)
{
    return _mm512_set1_epi32((int)simd_bytes[c]);
}

SIMD_INLINE simd_block simd_load(const uint8_t *p)
{
    return _mm512_loadu_si512((const void *)p);
}

/* Bytes that are masked out are not read (Intel SDM, "masked loads"). */
SIMD_INLINE simd_block simd_load_part(const uint8_t *p, size_t n,
                                      uint8_t room[64])
{
    simd_block b = _mm512_mask_loadu_epi8(
        _mm512_set1_epi8(' '), _bzhi_u64(UINT64_MAX, (unsigned)n), p);
    _mm512_storeu_si512(room, b);
    return b;
}

SIMD_INLINE uint64_t simd_eq(simd_block b, uint8_t c)
{
    return _mm512_cmpeq_epi8_mask(b, avx512_each(c));
}

SIMD_INLINE uint64_t simd_range(simd_block b, uint8_t low, uint8_t high)
{
    if (low == 0x80 && high == 0xff)
        return _mm512_movepi8_mask(b);
    __m512i over = _mm512_sub_epi8(b, avx512_each(low));
    return _mm512_cmple_epu8_mask(over, avx512_each((uint8_t)(high - low)));
}

SIMD_INLINE uint64_t simd_bit(simd_block b, unsigned k)
{
    return _mm512_test_epi8_mask(b, avx512_each((uint8_t)(1U << k)));
}

SIMD_INLINE simd_block simd_lower(simd_block b)
{
    return _mm512_or_si512(b, avx512_each(0x20));
}

#include "decode/simd_utf8.h"

SIMD_INLINE __m512i avx512_look_up(__m128i table, __m512i at)
{
    return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(table), at);
}

SIMD_INLINE uint64_t simd_wrong_utf8(simd_block b, simd_block before)
{
    const __m512i half = avx512_each(0x0f);
    __m512i lanes = _mm512_alignr_epi64(b, before, 6);
    __m512i first = _mm512_alignr_epi8(b, lanes, 15); /* the byte before each */
    __m512i wrong =
        avx512_look_up(_mm_setr_epi8(UTF8_FIRST_HIGH),
                       _mm512_and_si512(_mm512_srli_epi16(first, 4), half));
    wrong =
        _mm512_and_si512(wrong, avx512_look_up(_mm_setr_epi8(UTF8_FIRST_LOW),
                                               _mm512_and_si512(first, half)));
    wrong = _mm512_and_si512(
        wrong, avx512_look_up(_mm_setr_epi8(UTF8_SECOND_HIGH),
                              _mm512_and_si512(_mm512_srli_epi16(b, 4), half)));
    /* The third byte of three and the fourth of four: two that continue. */
    __m512i three = _mm512_subs_epu8(_mm512_alignr_epi8(b, lanes, 14),
                                     avx512_each(0xe0 - 0x80));
    __m512i four = _mm512_subs_epu8(_mm512_alignr_epi8(b, lanes, 13),
                                    avx512_each(0xf0 - 0x80));
    __m512i due =
        _mm512_and_si512(_mm512_or_si512(three, four), avx512_each(0x80));
    wrong = _mm512_xor_si512(wrong, due);
    return _mm512_test_epi8_mask(wrong, wrong);
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
    __m512i counts = _mm512_setzero_si512();
    for (size_t at = 0; at < n; at += 64)
        counts = _mm512_mask_sub_epi8(counts, simd_eq(simd_load(p + at), c),
                                      counts, _mm512_set1_epi8(-1));
    __m512i sums = _mm512_sad_epu8(counts, _mm512_setzero_si512());
    return (unsigned)_mm512_reduce_add_epi64(sums);
}

SIMD_INLINE unsigned simd_places(uint64_t m, uint16_t base, uint16_t *to)
{
    const __m512i each = _mm512_set_epi8(
        63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46,
        45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28,
        27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10,
        9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    unsigned n = simd_count(m);
    __m512i found = _mm512_maskz_compress_epi8(m, each);
    __m512i start = _mm512_set1_epi16((short)base);
    _mm512_storeu_si512(
        to, _mm512_add_epi16(
                start, _mm512_cvtepu8_epi16(_mm512_castsi512_si256(found))));
    if (n > 32)
        _mm512_storeu_si512(
            to + 32,
            _mm512_add_epi16(start, _mm512_cvtepu8_epi16(
                                        _mm512_extracti64x4_epi64(found, 1))));
    return n;
}

SIMD_INLINE unsigned simd_pick(uint64_t m, uint16_t base, const uint8_t *bytes,
                               uint16_t *to, uint8_t *picked)
{
    _mm512_storeu_si512(picked,
                        _mm512_maskz_compress_epi8(m, simd_load(bytes)));
    return simd_places(m, base, to);
}

SIMD_INLINE unsigned simd_keep(uint64_t m, const uint16_t *from, uint16_t *to)
{
    __m512i low = _mm512_loadu_si512(from),
            high = _mm512_loadu_si512(from + 32);
    _mm512_storeu_si512(
        to, _mm512_maskz_compress_epi16((__mmask32)(uint32_t)m, low));
    _mm512_storeu_si512(
        to + simd_count(m & UINT32_MAX),
        _mm512_maskz_compress_epi16((__mmask32)(uint32_t)(m >> 32), high));
    return simd_count(m);
}

/* Sums of eight bytes by shifts, of which each doubles the reach; then those of
 * all eight before them in the same way. */
SIMD_INLINE simd_block simd_depths(uint64_t open, uint64_t close)
{
    const __m512i one = _mm512_set1_epi8(1), none = _mm512_setzero_si512();
    const __m512i last = _mm512_broadcast_i32x4(
        _mm_setr_epi8(7, 7, 7, 7, 7, 7, 7, 7, 15, 15, 15, 15, 15, 15, 15, 15));
    __m512i sum = _mm512_maskz_mov_epi8(open, one);
    sum = _mm512_mask_sub_epi8(sum, close, sum, one);
    sum = _mm512_add_epi8(sum, _mm512_slli_epi64(sum, 8));
    sum = _mm512_add_epi8(sum, _mm512_slli_epi64(sum, 16));
    sum = _mm512_add_epi8(sum, _mm512_slli_epi64(sum, 32));
    __m512i all = _mm512_shuffle_epi8(sum, last);
    all = _mm512_alignr_epi64(all, none, 7);
    all = _mm512_add_epi8(all, _mm512_alignr_epi64(all, none, 7));
    all = _mm512_add_epi8(all, _mm512_alignr_epi64(all, none, 6));
    all = _mm512_add_epi8(all, _mm512_alignr_epi64(all, none, 4));
    return _mm512_add_epi8(_mm512_add_epi8(sum, all),
                           _mm512_set1_epi8((char)SIMD_DEPTH));
}

SIMD_INLINE bool simd_any(simd_masks m)
{
    return _mm512_test_epi64_mask((__m512i)m, (__m512i)m) != 0;
}

SIMD_INLINE simd_masks simd_from(simd_masks m, simd_masks before)
{
    return (simd_masks)_mm512_alignr_epi64((__m512i)m, (__m512i)before, 7);
}

SIMD_INLINE simd_masks simd_join(const uint64_t m[SIMD_LANES])
{
    return (simd_masks){m[0], m[1], m[2], m[3], m[4], m[5], m[6], m[7]};
}

SIMD_INLINE simd_masks simd_behind(simd_masks m, simd_masks before)
{
    return (simd_masks)_mm512_shldi_epi64((__m512i)m,
                                          (__m512i)simd_from(m, before), 1);
}

/* All masks are added at once. One that overflows carries into the next, and
 * through those that are all ones; the carries of all are a sum of their own,
 * of 8 bits. */
SIMD_INLINE simd_masks simd_add(simd_masks a, simd_masks b, unsigned *carry)
{
    const __m512i ones = _mm512_set1_epi64(-1);
    __m512i sum = _mm512_add_epi64((__m512i)a, (__m512i)b);
    unsigned over = _mm512_cmplt_epu64_mask(sum, (__m512i)a);
    unsigned full = _mm512_cmpeq_epi64_mask(sum, ones);
    unsigned carries = (over << 1 | *carry) + full;
    *carry = carries >> 8;
    return (simd_masks)_mm512_mask_sub_epi64(sum, (__mmask8)(carries ^ full),
                                             sum, ones);
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
    unsigned odd = _mm512_movepi64_mask((__m512i)m);
    odd = odd << 1 | *carry;
    odd ^= odd << 1;
    odd ^= odd << 2;
    odd ^= odd << 4;
    odd ^= odd << 8;
    *carry = odd >> 8 & 1;
    return m ^ (simd_masks)_mm512_movm_epi64((__mmask8)odd);
}
