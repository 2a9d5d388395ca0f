/* skim_sse2: decode/skim with 16 bytes at a time, what every x86-64 has. */
#include "decode/skim.h"

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

static inline uint64_t among(const uint8_t *p, uint8_t least, uint8_t most)
{
    __m128i over = _mm_sub_epi8(load(p), _mm_set1_epi8((char)least));
    __m128i span = _mm_set1_epi8((char)(most - least));
    __m128i in = _mm_cmpeq_epi8(_mm_min_epu8(over, span), over);
    return (uint64_t)(unsigned)_mm_movemask_epi8(in);
}

/* Not 0: the bytes `at` in the stencil that do not fit. */
static inline __m128i bad(const uint8_t *p, const struct skim_stencil *st,
                          unsigned at)
{
    __m128i v = load(p + at), span = load(st->span + at);
    __m128i over = _mm_subs_epu8(_mm_sub_epi8(v, load(st->least + at)), span);
    __m128i text = _mm_cmpeq_epi8(span, _mm_set1_epi8(SKIM_TEXT));
    __m128i mark = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
                                _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
    return _mm_or_si128(over, _mm_and_si128(mark, text));
}

static inline uint64_t not_zero(__m128i v)
{
    __m128i zero = _mm_cmpeq_epi8(v, _mm_setzero_si128());
    return ~(unsigned)_mm_movemask_epi8(zero) & 0xffff;
}

static inline uint64_t misfits(const uint8_t *p, const struct skim_stencil *st)
{
    return not_zero(bad(p, st, 0)) | not_zero(bad(p, st, 16)) << 16 |
           not_zero(bad(p, st, 32)) << 32 | not_zero(bad(p, st, 48)) << 48;
}

static inline bool fits(const uint8_t *p, const struct skim_stencil *st)
{
    return not_zero(
               _mm_or_si128(_mm_or_si128(bad(p, st, 0), bad(p, st, 16)),
                            _mm_or_si128(bad(p, st, 32), bad(p, st, 48)))) == 0;
}

#include "decode/skim_impl.h"
#endif
