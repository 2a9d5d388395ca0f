/* number: the value of a number where it stands, of a text that is known to be
 * one (RFC 8259, section 6). */
#ifndef TALLYD_DECODE_NUMBER_H
#define TALLYD_DECODE_NUMBER_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined __SSE2__
#include <emmintrin.h>
#endif

/* Bytes behind the first of a number that number_int64() reads at most,
 * whatever they are. */
#define NUMBER_REACH 25

/* Bytes that number_short() reads, the first among them. */
#define NUMBER_SHORT 8

#define NUMBER_EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static inline uint64_t number_load(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    return le64toh(word);
}

/* Some of the high four bits are set of each byte of the word, as loaded, that
 * is no digit, and no others. A digit has a high half of 3, and still has when
 * 6 is added. */
static inline uint64_t number_other(uint64_t word)
{
    uint64_t low = word & NUMBER_EACH(0x7f); /* no carry leaves its byte */
    return ((word ^ NUMBER_EACH(0x30)) |
            ((low + NUMBER_EACH(0x06)) ^ NUMBER_EACH(0x30))) &
           NUMBER_EACH(0xf0);
}

/* How many digits the word begins with. */
static inline unsigned number_digits(uint64_t word)
{
    uint64_t other = number_other(word);
    return other == 0 ? 8 : (unsigned)__builtin_ctzll(other) / 8;
}

/* Bytes that number_others() reads. */
#define NUMBER_OTHERS 32

/* A bit for each of the bytes at p that is no digit, the first lowest. */
static inline uint32_t number_others_plain(const uint8_t *p)
{
    uint32_t all = 0;
    for (unsigned i = 0; i < NUMBER_OTHERS; i += 8) {
        uint64_t other = number_other(number_load(p + i)) >> 4;
        other = (other + NUMBER_EACH(0x0f)) >> 4 & NUMBER_EACH(0x01);
        all |= (uint32_t)(other * UINT64_C(0x0102040810204080) >> 56) << i;
    }
    return all;
}

/* The same with SSE2, which every x86-64 has. */
static inline uint32_t number_others(const uint8_t *p)
{
#if defined __SSE2__
    /* As signed bytes the digits become the ten lowest. */
    const __m128i move = _mm_set1_epi8(INT8_MIN - '0' + 256);
    const __m128i last = _mm_set1_epi8(INT8_MIN + 9);
    __m128i low = _mm_loadu_si128((const __m128i *)p);
    __m128i high = _mm_loadu_si128((const __m128i *)(p + 16));
    low = _mm_cmpgt_epi8(_mm_add_epi8(low, move), last);
    high = _mm_cmpgt_epi8(_mm_add_epi8(high, move), last);
    return (uint32_t)_mm_movemask_epi8(low) | (uint32_t)_mm_movemask_epi8(high)
                                                  << 16;
#else
    return number_others_plain(p);
#endif
}

/* The value of the n digits, 0 to 8, that the word begins with: moved to its
 * end, so that zeros stand before them; then pairs are put together, pairs of
 * pairs, and both halves ("Quickly parsing eight digits", Lemire, 2018). */
static inline uint64_t number_eight(uint64_t word, unsigned n)
{
    word = (word & NUMBER_EACH(0x0f)) << (32 - 4 * n) << (32 - 4 * n);
    word = word * 10 + (word >> 8);
    return (((word & UINT64_C(0x000000ff000000ff)) *
             UINT64_C(0x000f424000000064)) +
            ((word >> 16 & UINT64_C(0x000000ff000000ff)) *
             UINT64_C(0x0000271000000001))) >>
           32;
}

/* May an integer end before this byte of a text that is known to be JSON? */
static inline bool number_ends(uint8_t behind)
{
    return behind != '.' && (behind | 0x20) != 'e';
}

/* 10 to the power of n, 0 to 8. */
static inline uint64_t number_ten_to(unsigned n)
{
    static const uint32_t known[] = {1,      10,      100,      1000,     10000,
                                     100000, 1000000, 10000000, 100000000};
    return known[n];
}

/* Is the value at `from` an integer of one to seven digits, six behind a minus
 * sign? Else it may be another number, or none. NUMBER_SHORT bytes can be read.
 */
static inline bool number_short(const uint8_t *from, int64_t *value)
{
    uint64_t word = number_load(from);
    unsigned minus = (uint8_t)word == '-';
    word >>= 8 * minus; /* the byte behind them is none that is known */
    /* No byte but a digit has a high half of 3 behind a minus or a digit. */
    uint64_t other = (word & NUMBER_EACH(0xf0)) ^ NUMBER_EACH(0x30);
    unsigned n = other == 0 ? 8 : (unsigned)__builtin_ctzll(other) / 8;
    if (n - 1 >= 7 - minus)
        return false;
    int64_t sum = (int64_t)number_eight(word, n), sign = -(int64_t)minus;
    *value = (sum ^ sign) - sign;
    return number_ends((uint8_t)(word >> (8 * n)));
}

/* The same as number_int64() of any digits. */
static __attribute__((noinline)) bool number_long(const uint8_t *from,
                                                  int64_t *value)
{
    bool minus = *from == '-';
    const uint8_t *p = from + minus;
    uint64_t word = number_load(p), sum;
    unsigned n = number_digits(word);
    sum = number_eight(word, n);
    p += n;
    if (n == 8) {
        word = number_load(p);
        n = number_digits(word);
        sum = sum * number_ten_to(n) + number_eight(word, n);
        p += n;
    }
    for (unsigned more = n < 8 ? 3 : 0; more < 3 && (uint8_t)(*p - '0') < 10;
         more++)
        sum = sum * 10 + (uint8_t)(*p++ - '0'); /* up to 19 fit 64 bits */
    *value = (int64_t)(minus ? -sum : sum);
    return sum <= (uint64_t)INT64_MAX + minus && (uint8_t)(*p - '0') > 9 &&
           number_ends(*p);
}

/* Is the number at `from` an integer that fits? NUMBER_REACH bytes behind it
 * can be read. */
static inline bool number_int64(const uint8_t *from, int64_t *value)
{
    return number_short(from, value) || number_long(from, value);
}

/* Behind the number at `from`, which another byte follows. */
static inline const uint8_t *number_end(const uint8_t *from)
{
    while ((uint8_t)(*from - '0') < 10 || *from == '-' || *from == '+' ||
           *from == '.' || (*from | 0x20) == 'e')
        from++;
    return from;
}

#endif
