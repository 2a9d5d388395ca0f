/* skim_portable: decode/skim in plain C; the reference of the others. */
#include "decode/skim.h"

#define SKIM_NAME skim_portable
#include "decode/words.h"

static inline uint64_t misfits(const uint8_t *p, const struct skim_stencil *st)
{
    uint64_t found = 0;
    for (unsigned i = 0; i < SKIM_STENCIL_BYTES; i++) {
        bool mark = p[i] == '"' || p[i] == '\\';
        bool in_range = (uint8_t)(p[i] - st->least[i]) <= st->span[i];
        if (!in_range || (mark && st->span[i] == SKIM_TEXT))
            found |= UINT64_C(1) << i;
    }
    return found;
}

static inline bool fits(const uint8_t *p, const struct skim_stencil *st)
{
    return misfits(p, st) == 0;
}

#include "decode/skim_impl.h"
