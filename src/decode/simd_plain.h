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

SIMD_INLINE simd_masks simd_join(const uint64_t m[SIMD_LANES])
{
    return m[0];
}

SIMD_INLINE simd_masks simd_behind(simd_masks m, simd_masks before)
{
    return m << 1 | before >> 63;
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

SIMD_INLINE unsigned simd_count_eq(const uint8_t *p, size_t n, uint8_t c)
{
    unsigned count = 0;
    for (size_t at = 0; at < n; at += 64)
        count += simd_count(simd_eq(simd_load(p + at), c));
    return count;
}

/* m moved on by n bytes, behind `before`. */
SIMD_INLINE uint64_t plain_moved(uint64_t m, uint64_t before, unsigned n)
{
    return m << n | before >> (64 - n);
}

/* Which bytes continue a character follows from the three before each: those of
 * c0 and on have one, of e0 and on two, of f0 and on three behind them. The
 * second byte must not say what fewer bytes can, no surrogate, and nothing
 * above U+10FFFF (RFC 3629, section 4). */
SIMD_INLINE uint64_t simd_wrong_utf8(simd_block b, simd_block before)
{
    uint64_t high = simd_range(b, 0x80, 0xff);
    uint64_t two = simd_range(b, 0xc0, 0xff);
    uint64_t due = plain_moved(two, simd_range(before, 0xc0, 0xff), 1) |
                   plain_moved(simd_range(b, 0xe0, 0xff),
                               simd_range(before, 0xe0, 0xff), 2) |
                   plain_moved(simd_range(b, 0xf0, 0xff),
                               simd_range(before, 0xf0, 0xff), 3);
    uint64_t below_a0 = simd_range(b, 0x80, 0x9f);
    uint64_t below_90 = simd_range(b, 0x80, 0x8f);
    uint64_t e0 = plain_moved(simd_eq(b, 0xe0), simd_eq(before, 0xe0), 1);
    uint64_t ed = plain_moved(simd_eq(b, 0xed), simd_eq(before, 0xed), 1);
    uint64_t f0 = plain_moved(simd_eq(b, 0xf0), simd_eq(before, 0xf0), 1);
    uint64_t f4 = plain_moved(simd_eq(b, 0xf4), simd_eq(before, 0xf4), 1);
    return (due ^ (high & ~two)) | simd_range(b, 0xc0, 0xc1) |
           simd_range(b, 0xf5, 0xff) | (e0 & below_a0) | (ed & ~below_a0) |
           (f0 & below_90) | (f4 & ~below_90);
}

#include "decode/simd_places.h"
