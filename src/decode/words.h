/* words: the operations of skim_values.h on eight bytes in a register, in plain
 * C; what they are is told there. Included where they are used, for each file
 * its own. */

#include <endian.h>
#include <string.h>

#define SKIM_WIDTH 8
#define SKIM_BITS 8

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The top bit of each byte that is zero, exactly: no carry leaves its byte
 * ("Determine if a word has a zero byte", Bit Twiddling Hacks). */
static inline uint64_t zero_bytes(uint64_t w)
{
    return ~(((w & EACH(0x7f)) + EACH(0x7f)) | w | EACH(0x7f));
}

static inline uint64_t not_plain(const uint8_t *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    w = le64toh(w); /* the first byte lowest, on every machine */
    uint64_t control = zero_bytes(w & EACH(0xe0));
    return control | (w & EACH(0x80)) | zero_bytes(w ^ EACH('"')) |
           zero_bytes(w ^ EACH('\\'));
}

/* A digit has a high half of 3, and still has when 6 is added. */
static inline uint64_t not_digit(const uint8_t *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    w = le64toh(w);
    uint64_t low = w & EACH(0x7f); /* no carry leaves its byte */
    uint64_t other = (w ^ EACH(0x30)) | ((low + EACH(0x06)) ^ EACH(0x30));
    return other & EACH(0xf0);
}

/* In each byte of seven bits: at least `least` raises the top bit of the sum,
 * at most `most` leaves it. */
static inline uint64_t among(const uint8_t *p, uint8_t least, uint8_t most)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    w = le64toh(w);
    uint64_t low = w & EACH(0x7f), half = (w ^ EACH(least)) & EACH(0x80);
    uint64_t enough = low + EACH(0x80U - (least & 0x7fU));
    uint64_t too_much = low + EACH(0x7fU - (most & 0x7fU));
    uint64_t top = enough & ~too_much & ~half & EACH(0x80);
    return (top >> 7) * 0xff;
}
