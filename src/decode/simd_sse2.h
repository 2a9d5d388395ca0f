/* simd_sse2: the operations of decode/simd with SSE2, which every x86-64 has.
 */
#include "decode/simd.h"

#include <emmintrin.h>

typedef struct {
    __m128i v[4];
} simd_block;

SIMD_INLINE simd_block simd_load(const uint8_t *p)
{
    simd_block b;
    for (int i = 0; i < 4; i++)
        b.v[i] = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
    return b;
}

SIMD_INLINE uint64_t sse2_mask(const __m128i found[4])
{
    uint64_t m = 0;
    for (int i = 0; i < 4; i++)
        m |= (uint64_t)(uint32_t)_mm_movemask_epi8(found[i]) << (16 * i);
    return m;
}

SIMD_INLINE uint64_t simd_eq(simd_block b, uint8_t c)
{
    __m128i found[4];
    for (int i = 0; i < 4; i++)
        found[i] = _mm_cmpeq_epi8(b.v[i], _mm_set1_epi8((char)c));
    return sse2_mask(found);
}

/* Above `low` by at most `span`: the smaller of the two is the first. From 0x80
 * on the sign of the bytes says it. */
SIMD_INLINE uint64_t simd_range(simd_block b, uint8_t low, uint8_t high)
{
    __m128i found[4], span = _mm_set1_epi8((char)(high - low));
    if (low == 0x80 && high == 0xff)
        return sse2_mask(b.v);
    for (int i = 0; i < 4; i++) {
        __m128i over = _mm_sub_epi8(b.v[i], _mm_set1_epi8((char)low));
        found[i] = _mm_cmpeq_epi8(_mm_min_epu8(over, span), over);
    }
    return sse2_mask(found);
}

/* Shifted to the top of each byte. */
SIMD_INLINE uint64_t simd_bit(simd_block b, unsigned k)
{
    __m128i up[4];
    for (int i = 0; i < 4; i++)
        up[i] = _mm_slli_epi16(b.v[i], 7 - (int)k);
    return sse2_mask(up);
}

SIMD_INLINE simd_block simd_lower(simd_block b)
{
    for (int i = 0; i < 4; i++)
        b.v[i] = _mm_or_si128(b.v[i], _mm_set1_epi8(0x20));
    return b;
}

#include "decode/simd_plain.h"
