/* simd_plain: those operations of decode/simd that work on masks alone, in
 * plain C. Included by the headers of instruction sets that have nothing
 * better. */

#define SIMD_LANES 1

typedef uint64_t simd_masks;

SIMD_INLINE bool simd_any(simd_masks m)
{
    return m != 0;
}

SIMD_INLINE simd_masks simd_from(simd_masks m, simd_masks before)
{
    (void)m;
    return before;
}

SIMD_INLINE simd_masks simd_add(simd_masks a, simd_masks b, unsigned *carry)
{
    uint64_t sum, all;
    bool over = __builtin_add_overflow(a, b, &sum);
    *carry = over | __builtin_add_overflow(sum, *carry, &all);
    return all;
}

/* By shifts, of which each doubles the reach. */
SIMD_INLINE simd_masks simd_parity(simd_masks m, unsigned *carry)
{
    for (unsigned shift = 1; shift < 64; shift *= 2)
        m ^= m << shift;
    m ^= -(uint64_t)*carry;
    *carry = (unsigned)(m >> 63);
    return m;
}

SIMD_INLINE uint64_t simd_spread(uint64_t bits, uint64_t m)
{
    uint64_t spread = 0;
    for (; m != 0; m &= m - 1, bits >>= 1)
        spread |= (m & -m) & -(bits & 1);
    return spread;
}

/* Sums of two, four and eight bits, then of all bytes (Warren, "Hacker's
 * Delight", 5-1). */
SIMD_INLINE unsigned simd_count(uint64_t m)
{
    m -= m >> 1 & UINT64_C(0x5555555555555555);
    m = (m & UINT64_C(0x3333333333333333)) +
        (m >> 2 & UINT64_C(0x3333333333333333));
    m = (m + (m >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (unsigned)(m * UINT64_C(0x0101010101010101) >> 56);
}

#include "decode/simd_places.h"
