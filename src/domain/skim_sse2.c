/* skim_sse2: domain/skim with 16 bytes at a time, what every x86-64 has. */
#include "domain/skim.h"

#if defined __x86_64__
#include <emmintrin.h>

#define SKIM_NAME skim_sse2
#define SKIM_WIDTH 16
#define SKIM_BITS 1

static inline __m128i load(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* Signed bytes: what is below a blank is a control character or not ASCII. */
static inline uint64_t not_plain(const uint8_t *p)
{
    __m128i v = load(p);
    __m128i found =
        _mm_or_si128(_mm_cmplt_epi8(v, _mm_set1_epi8(0x20)),
                     _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                                  _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))));
    return (uint64_t)(unsigned)_mm_movemask_epi8(found);
}

/* Less '0', wrapping: a digit is at most 9, which saturates to 0 below. */
static inline uint64_t not_digit(const uint8_t *p)
{
    __m128i v = _mm_sub_epi8(load(p), _mm_set1_epi8('0'));
    __m128i digit =
        _mm_cmpeq_epi8(_mm_subs_epu8(v, _mm_set1_epi8(9)), _mm_setzero_si128());
    return ~(unsigned)_mm_movemask_epi8(digit) & 0xffff;
}

static inline bool same(const uint8_t *a, const uint8_t *b, size_t n)
{
    for (;;) {
        unsigned equal =
            (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(load(a), load(b)));
        if (n <= 16)
            return (~equal & ((1U << n) - 1)) == 0;
        if (equal != 0xffff)
            return false;
        a += 16;
        b += 16;
        n -= 16;
    }
}

#include "domain/skim_impl.h"
#endif
