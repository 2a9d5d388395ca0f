/* skim_avx2: decode/skim with 32 bytes at a time. */
#include "decode/skim.h"

#if defined __x86_64__
#if defined __clang__
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2"))),         \
                             apply_to = function)
#else
#pragma GCC target("avx2,bmi,bmi2")
#include <immintrin.h>
#endif

#define SKIM_NAME skim_avx2
#define SKIM_WIDTH 32
#define SKIM_BITS 1

static inline __m256i load(const uint8_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

/* Quotes and backslashes: the low four bits of a byte choose what it is
 * compared with; those of a quote are 2, those of a backslash 12 (a table of 16
 * in each half of a register, after Langdale and Lemire's simdjson). */
static inline __m256i marks(__m256i v)
{
    const __m256i table = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(-1, 0, '"', 0, 0, 0, 0, 0, 0, 0, 0, 0, '\\', 0, 0, 0));
    return _mm256_cmpeq_epi8(v, _mm256_shuffle_epi8(table, v));
}

/* Signed bytes: what is below a blank is a control character or not ASCII. */
static inline uint64_t not_plain(const uint8_t *p)
{
    __m256i v = load(p);
    __m256i low = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), v);
    return (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(low, marks(v)));
}

/* Less '0', wrapping: a digit is at most 9, which saturates to 0 below. */
static inline uint64_t not_digit(const uint8_t *p)
{
    __m256i v = _mm256_sub_epi8(load(p), _mm256_set1_epi8('0'));
    __m256i digit = _mm256_cmpeq_epi8(_mm256_subs_epu8(v, _mm256_set1_epi8(9)),
                                      _mm256_setzero_si256());
    return (uint32_t) ~(unsigned)_mm256_movemask_epi8(digit);
}

static inline uint64_t among(const uint8_t *p, uint8_t least, uint8_t most)
{
    __m256i over = _mm256_sub_epi8(load(p), _mm256_set1_epi8((char)least));
    __m256i span = _mm256_set1_epi8((char)(most - least));
    __m256i in = _mm256_cmpeq_epi8(_mm256_min_epu8(over, span), over);
    return (uint32_t)_mm256_movemask_epi8(in);
}

/* Not 0: the bytes `at` in the stencil that do not fit. */
static inline __m256i bad(const uint8_t *p, const struct skim_stencil *st,
                          unsigned at)
{
    __m256i v = load(p + at), span = load(st->span + at);
    __m256i over =
        _mm256_subs_epu8(_mm256_sub_epi8(v, load(st->least + at)), span);
    __m256i text = _mm256_cmpeq_epi8(span, _mm256_set1_epi8(SKIM_TEXT));
    return _mm256_or_si256(over, _mm256_and_si256(marks(v), text));
}

static inline uint32_t not_zero(__m256i v)
{
    return ~(uint32_t)_mm256_movemask_epi8(
        _mm256_cmpeq_epi8(v, _mm256_setzero_si256()));
}

static inline uint64_t misfits(const uint8_t *p, const struct skim_stencil *st)
{
    return (uint64_t)not_zero(bad(p, st, 32)) << 32 | not_zero(bad(p, st, 0));
}

static inline bool fits(const uint8_t *p, const struct skim_stencil *st)
{
    __m256i any = bad(p, st, 0);
    if (!st->narrow)
        any = _mm256_or_si256(any, bad(p, st, 32));
    return _mm256_testz_si256(any, any) != 0;
}

#include "decode/skim_impl.h"

#if defined __clang__
#pragma clang attribute pop
#endif
#endif
