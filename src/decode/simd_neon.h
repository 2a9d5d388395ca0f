/* simd_neon: the operations of decode/simd with NEON, which every aarch64 has.
 */
#include "decode/simd.h"

#include <arm_neon.h>

typedef uint8x16x4_t simd_block;

SIMD_INLINE simd_block simd_load(const uint8_t *p)
{
    simd_block b;
    for (int i = 0; i < 4; i++)
        b.val[i] = vld1q_u8(p + 16 * i);
    return b;
}

/* NEON cannot gather the top bits: each byte, 0 or 0xff, keeps the bit of its
 * place, and adding neighbours three times brings them together (Langdale and
 * Lemire, 3.1.4). */
SIMD_INLINE uint64_t neon_mask(uint8x16_t a, uint8x16_t b, uint8x16_t c,
                               uint8x16_t d)
{
    static const uint8_t places[16] = {1, 2, 4, 8, 16, 32, 64, 128,
                                       1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t place = vld1q_u8(places);
    uint8x16_t low = vpaddq_u8(vandq_u8(a, place), vandq_u8(b, place));
    uint8x16_t high = vpaddq_u8(vandq_u8(c, place), vandq_u8(d, place));
    low = vpaddq_u8(low, high);
    low = vpaddq_u8(low, low);
    return vgetq_lane_u64(vreinterpretq_u64_u8(low), 0);
}

SIMD_INLINE uint64_t simd_eq(simd_block b, uint8_t c)
{
    uint8x16_t v = vdupq_n_u8(c);
    return neon_mask(vceqq_u8(b.val[0], v), vceqq_u8(b.val[1], v),
                     vceqq_u8(b.val[2], v), vceqq_u8(b.val[3], v));
}

SIMD_INLINE uint64_t simd_range(simd_block b, uint8_t low, uint8_t high)
{
    uint8x16_t least = vdupq_n_u8(low);
    uint8x16_t span = vdupq_n_u8((uint8_t)(high - low));
    return neon_mask(vcleq_u8(vsubq_u8(b.val[0], least), span),
                     vcleq_u8(vsubq_u8(b.val[1], least), span),
                     vcleq_u8(vsubq_u8(b.val[2], least), span),
                     vcleq_u8(vsubq_u8(b.val[3], least), span));
}

SIMD_INLINE uint64_t simd_bit(simd_block b, unsigned k)
{
    uint8x16_t bit = vdupq_n_u8((uint8_t)(1U << k));
    return neon_mask(vtstq_u8(b.val[0], bit), vtstq_u8(b.val[1], bit),
                     vtstq_u8(b.val[2], bit), vtstq_u8(b.val[3], bit));
}

SIMD_INLINE simd_block simd_lower(simd_block b)
{
    for (int i = 0; i < 4; i++)
        b.val[i] = vorrq_u8(b.val[i], vdupq_n_u8(0x20));
    return b;
}

#include "decode/simd_plain.h"
