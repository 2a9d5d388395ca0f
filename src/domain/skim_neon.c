/* skim_neon: domain/skim with 16 bytes at a time on aarch64. */
#include "domain/skim.h"

#if defined __aarch64__
#include <arm_neon.h>

#define SKIM_NAME skim_neon
#define SKIM_WIDTH 16
#define SKIM_BITS 4

/* Four bits for each byte: NEON has no movemask, but can narrow by a shift. */
static inline uint64_t mask_of(uint8x16_t found)
{
    uint8x8_t narrow = vshrn_n_u16(vreinterpretq_u16_u8(found), 4);
    return vget_lane_u64(vreinterpret_u64_u8(narrow), 0);
}

static inline uint64_t not_plain(const uint8_t *p)
{
    uint8x16_t v = vld1q_u8(p);
    uint8x16_t found = vorrq_u8(
        vorrq_u8(vcltq_u8(v, vdupq_n_u8(0x20)), vcgeq_u8(v, vdupq_n_u8(0x80))),
        vorrq_u8(vceqq_u8(v, vdupq_n_u8('"')), vceqq_u8(v, vdupq_n_u8('\\'))));
    return mask_of(found);
}

static inline uint64_t not_digit(const uint8_t *p)
{
    uint8x16_t v = vsubq_u8(vld1q_u8(p), vdupq_n_u8('0'));
    return mask_of(vcgtq_u8(v, vdupq_n_u8(9)));
}

static inline bool same(const uint8_t *a, const uint8_t *b, size_t n)
{
    for (;;) {
        uint64_t equal = mask_of(vceqq_u8(vld1q_u8(a), vld1q_u8(b)));
        if (n < 16)
            return (~equal & ((UINT64_C(1) << (4 * n)) - 1)) == 0;
        if (equal != UINT64_MAX)
            return false;
        a += 16;
        b += 16;
        n -= 16;
    }
}

#include "domain/skim_impl.h"
#endif
