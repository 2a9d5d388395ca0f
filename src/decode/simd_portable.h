/* simd_portable: the operations of decode/simd in plain C, on eight bytes in a
 * register at a time; the model the others are compared with. */
#include "decode/simd.h"

#include <endian.h>

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

typedef struct {
    uint64_t words[8]; /* the first byte lowest, on every machine */
} simd_block;

SIMD_INLINE simd_block simd_load(const uint8_t *p)
{
    simd_block b;
    memcpy(&b, p, sizeof b);
    for (int i = 0; i < 8; i++)
        b.words[i] = le64toh(b.words[i]);
    return b;
}

/* The top bits of eight bytes, gathered by a product: byte i is moved to bit
 * 56 + i, and no two terms meet. */
SIMD_INLINE uint64_t plain_top_bits(uint64_t word)
{
    return ((word & EACH(0x80)) >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

/* The top bit of each byte that is zero, exactly: no carry leaves its byte
 * ("Determine if a word has a zero byte", Bit Twiddling Hacks). */
SIMD_INLINE uint64_t plain_zero_bytes(uint64_t word)
{
    return ~(((word & EACH(0x7f)) + EACH(0x7f)) | word | EACH(0x7f));
}

SIMD_INLINE uint64_t simd_eq(simd_block b, uint8_t c)
{
    uint64_t m = 0;
    for (int i = 0; i < 8; i++)
        m |= plain_top_bits(plain_zero_bytes(b.words[i] ^ EACH(c))) << (8 * i);
    return m;
}

/* The top bit of each byte of `word` that is at least `least`: of the lower
 * seven bits a sum with carry into the eighth says so, and where the top bits
 * differ they alone. */
SIMD_INLINE uint64_t plain_at_least(uint64_t word, uint8_t least)
{
    uint64_t low = (word & EACH(0x7f)) + EACH(0x80U - (least & 0x7fU));
    return least < 0x80 ? low | word : low & word;
}

SIMD_INLINE uint64_t simd_range(simd_block b, uint8_t low, uint8_t high)
{
    uint64_t m = 0;
    for (int i = 0; i < 8; i++) {
        uint64_t in = plain_at_least(b.words[i], low);
        if (high < 0xff)
            in &= ~plain_at_least(b.words[i], (uint8_t)(high + 1));
        m |= plain_top_bits(in) << (8 * i);
    }
    return m;
}

SIMD_INLINE uint64_t simd_bit(simd_block b, unsigned k)
{
    uint64_t m = 0;
    for (int i = 0; i < 8; i++)
        m |= plain_top_bits(b.words[i] << (7 - k)) << (8 * i);
    return m;
}

SIMD_INLINE simd_block simd_lower(simd_block b)
{
    for (int i = 0; i < 8; i++)
        b.words[i] |= EACH(0x20);
    return b;
}

#include "decode/simd_plain.h"
