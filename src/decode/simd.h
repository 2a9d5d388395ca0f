/* clang-format off */
/* simd: the operations that decode/block, decode/strip and decode/window are
 * written in. Each instruction set has a header with all of them:
 * simd_avx512.h, simd_avx2.h, simd_sse2.h, simd_neon.h and, in plain C and the
 * model of the others, simd_portable.h. A file includes one of them.
 *
 * 64 bytes, a block, become masks of 64 bits, the first byte lowest, and
 * whatever is to be known of JSON is computed on masks (Langdale and Lemire,
 * "Parsing gigabytes of JSON per second", VLDB Journal 28, 2019). Where
 * registers are wide the masks of several blocks are computed on at once:
 * SIMD_LANES of them are one simd_masks, a number of so many times 64 bits. C's
 * operators work on it, and shifts shift within each mask.
 *
 * On blocks:
 *   simd_block                   64 bytes in registers
 *   simd_load(p)                 the 64 bytes at p
 *   simd_load_part(p, n, room)   the n < 64 bytes at p, then blanks, also in
 *                                `room`; reads no byte behind them
 *   simd_eq(b, c)                the bytes that are c
 *   simd_range(b, low, high)     the bytes from low to high, as unsigned
 *   simd_bit(b, k)               the bytes in which bit k, 0 to 7, is set
 *   simd_lower(b)                every byte with 0x20 set
 *   simd_count_eq(p, n, c)       how many of the n bytes at p are c; n is a
 *                                multiple of 64, at most 255 * 64
 *   simd_wrong_utf8(b, before)   not 0 if the UTF-8 of b, which comes behind
 *                                the block `before`, is wrong, or a character
 *                                that began there: then the bytes at which it
 *                                is seen first, and others behind them
 *
 * On one mask:
 *   simd_first(m)                the place of the lowest set bit; m is not 0
 *   simd_last(m)                 the place of the highest set bit; m is not 0
 *   simd_spread(bits, m)         the lowest bits, one to each place that m has
 *                                set (pdep)
 *   simd_count(m)                how many bits are set
 *   simd_places(m, base, to)     base + the place of each set bit, in order;
 *                                `to` has room for 64; gives the number
 *   simd_pick(m, base, bytes, to, picked)
 *                                the same, and the bytes, of 64, at these
 *                                places; `picked` has room for 64, too
 *   simd_keep(m, from, to)       those of 64 at `from` where m has a bit set,
 *                                in order; `to` has room for 64, and may be a
 *                                place before `from`; gives the number
 *   simd_depths(open, close)     a block, byte i of it: SIMD_DEPTH, and 1 more
 *                                for each of the bits 0 to i of `open`, 1 less
 *                                for each of `close`
 *
 * On masks of several blocks:
 *   simd_join(m)                 SIMD_LANES masks that have just been computed;
 *                                not through memory, where a wide read would
 *                                wait for the narrow writes
 *   simd_any(m)                  is a bit set?
 *   simd_from(m, before)         each mask takes the place of the next one; the
 *                                last of `before` becomes the first
 *   simd_behind(m, before)       each bit moves on by one, through all masks;
 *                                the last bit of `before` becomes the first
 *   simd_add(a, b, &carry)       the sum of two numbers of 64 * SIMD_LANES
 *                                bits, and of the carry, 0 or 1, which it sets
 *   simd_parity(m, &carry)       bit i: the parity of bits 0 to i, and of the
 *                                carry, 0 or 1, which it sets to the last one
 */
/* clang-format on */
#ifndef TALLYD_DECODE_SIMD_H
#define TALLYD_DECODE_SIMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What works on blocks must not call: a block would go through memory. */
#define SIMD_INLINE static inline __attribute__((always_inline))

/* Before a loop over SIMD_LANES: written out that many times. */
#if defined __clang__
#define SIMD_UNROLL _Pragma("unroll")
#else
#define SIMD_UNROLL _Pragma("GCC unroll 8")
#endif

/* Each byte, four times. Read from memory, not written into the code: gcc would
 * make a constant vector in three instructions wherever it is used. */
extern const uint32_t simd_bytes[256];

/* So many levels up and down fit a byte. */
#define SIMD_DEPTH 128

static inline unsigned simd_first(uint64_t m)
{
    return (unsigned)__builtin_ctzll(m);
}

static inline unsigned simd_last(uint64_t m)
{
    return 63 - (unsigned)__builtin_clzll(m);
}

#endif
