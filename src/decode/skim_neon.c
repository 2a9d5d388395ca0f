/* skim_neon: decode/skim with 16 bytes at a time on aarch64. */
#include "decode/skim.h"

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

static inline uint64_t among(const uint8_t *p, uint8_t least, uint8_t most)
{
    uint8x16_t over = vsubq_u8(vld1q_u8(p), vdupq_n_u8(least));
    return mask_of(vcleq_u8(over, vdupq_n_u8((uint8_t)(most - least))));
}

/* Not 0: the bytes `at` in the stencil that do not fit. */
static inline uint8x16_t bad(const uint8_t *p, const struct skim_stencil *st,
                             unsigned at)
{
    uint8x16_t v = vld1q_u8(p + at), span = vld1q_u8(st->span + at);
    uint8x16_t over = vcgtq_u8(vsubq_u8(v, vld1q_u8(st->least + at)), span);
    uint8x16_t text = vceqq_u8(span, vdupq_n_u8(SKIM_TEXT));
    uint8x16_t mark =
        vorrq_u8(vceqq_u8(v, vdupq_n_u8('"')), vceqq_u8(v, vdupq_n_u8('\\')));
    return vorrq_u8(over, vandq_u8(mark, text));
}

/* One bit for each byte that is not 0, from bytes that are 0 or 0xff: each
 * keeps the bit of its place, and adding neighbours three times gathers them
 * (as simdjson does). */
static inline uint64_t misfits(const uint8_t *p, const struct skim_stencil *st)
{
    static const uint8_t places[16] = {1, 2, 4, 8, 16, 32, 64, 128,
                                       1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t place = vld1q_u8(places);
    uint8x16_t low = vpaddq_u8(vandq_u8(bad(p, st, 0), place),
                               vandq_u8(bad(p, st, 16), place));
    uint8x16_t high = vpaddq_u8(vandq_u8(bad(p, st, 32), place),
                                vandq_u8(bad(p, st, 48), place));
    low = vpaddq_u8(low, high);
    low = vpaddq_u8(low, low);
    return vgetq_lane_u64(vreinterpretq_u64_u8(low), 0);
}

static inline bool fits(const uint8_t *p, const struct skim_stencil *st)
{
    uint8x16_t any = vorrq_u8(vorrq_u8(bad(p, st, 0), bad(p, st, 16)),
                              vorrq_u8(bad(p, st, 32), bad(p, st, 48)));
    return vmaxvq_u8(any) == 0;
}

#include "decode/skim_impl.h"
#endif
