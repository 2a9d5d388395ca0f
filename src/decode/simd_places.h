/* simd_places: those operations of decode/simd that load a part of a block, and
 * that put bits into lists or sums, for instruction sets that have nothing
 * better. Two places, or four with their bytes, are written at a time whether
 * there are so many or not, so that their number is guessed wrong less often
 * (Langdale and Lemire, 3.2). Included by their headers. */

#include <endian.h>

SIMD_INLINE simd_block simd_load_part(const uint8_t *p, size_t n,
                                      uint8_t room[64])
{
    memset(room, ' ', 64);
    memcpy(room, p, n);
    return simd_load(room);
}

SIMD_INLINE unsigned simd_places(uint64_t m, uint16_t base, uint16_t *to)
{
    unsigned n = simd_count(m);
    for (unsigned done = 0; done < n; done += 2)
        for (unsigned i = 0; i < 2; i++) {
            to[done + i] = (uint16_t)(base + simd_first(m | UINT64_C(1) << 63));
            m &= m - 1;
        }
    return n;
}

SIMD_INLINE unsigned simd_pick(uint64_t m, uint16_t base, const uint8_t *bytes,
                               uint16_t *to, uint8_t *picked)
{
    unsigned n = simd_count(m);
    for (unsigned done = 0; done < n; done += 4) {
        SIMD_UNROLL
        for (unsigned i = 0; i < 4; i++) {
            unsigned place = simd_first(m | UINT64_C(1) << 63);
            to[done + i] = (uint16_t)(base + place);
            picked[done + i] = bytes[place];
            m &= m - 1;
        }
    }
    return n;
}

/* In place: `to` is never behind what is yet to be read. */
SIMD_INLINE unsigned simd_keep(uint64_t m, const uint16_t *from, uint16_t *to)
{
    unsigned n = simd_count(m);
    for (unsigned done = 0; done < n; done += 4) {
        SIMD_UNROLL
        for (unsigned i = 0; i < 4; i++) {
            to[done + i] = from[simd_first(m | UINT64_C(1) << 63)];
            m &= m - 1;
        }
    }
    return n;
}

/* Eight bits, one to the lowest bit of each byte. */
SIMD_INLINE uint64_t plain_spread_byte(uint64_t bits)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t one = (bits & 0xff) * each & UINT64_C(0x8040201008040201);
    return (one + 0x7f * each) >> 7 & each;
}

/* The product of eight bytes with ones is their sums. */
SIMD_INLINE simd_block simd_depths(uint64_t open, uint64_t close)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint8_t depths[64];
    uint64_t last = SIMD_DEPTH;
    for (unsigned i = 0; i < 64; i += 8) {
        uint64_t sums = last * each + plain_spread_byte(open >> i) * each -
                        plain_spread_byte(close >> i) * each;
        last = sums >> 56;
        sums = htole64(sums);
        memcpy(depths + i, &sums, sizeof sums);
    }
    return simd_load(depths);
}
