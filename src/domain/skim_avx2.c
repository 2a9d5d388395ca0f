/* skim_avx2: domain/skim with 32 bytes at a time. */
#include "domain/skim.h"

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

/* Signed bytes: what is below a blank is a control character or not ASCII. */
static inline uint64_t not_plain(const uint8_t *p)
{
    __m256i v = load(p);
    __m256i found = _mm256_or_si256(
        _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), v),
        _mm256_or_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('"')),
                        _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\'))));
    return (uint64_t)(unsigned)_mm256_movemask_epi8(found);
}

/* Less '0', wrapping: a digit is at most 9, which saturates to 0 below. */
static inline uint64_t not_digit(const uint8_t *p)
{
    __m256i v = _mm256_sub_epi8(load(p), _mm256_set1_epi8('0'));
    __m256i digit = _mm256_cmpeq_epi8(_mm256_subs_epu8(v, _mm256_set1_epi8(9)),
                                      _mm256_setzero_si256());
    return (uint32_t) ~(unsigned)_mm256_movemask_epi8(digit);
}

static inline bool same(const uint8_t *a, const uint8_t *b, size_t n)
{
    for (;;) {
        unsigned equal =
            (unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(load(a), load(b)));
        if (n <= 32)
            return (~equal & (uint32_t)((UINT64_C(1) << n) - 1)) == 0;
        if (equal != UINT32_MAX)
            return false;
        a += 32;
        b += 32;
        n -= 32;
    }
}

#include "domain/skim_impl.h"

#if defined __clang__
#pragma clang attribute pop
#endif
#endif
