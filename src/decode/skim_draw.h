/* skim_draw: draws the stencils of decode/skim_memory.
 *
 * Seldom done, so compiled once, without SIMD. Pure. */
#ifndef TALLYD_DECODE_SKIM_DRAW_H
#define TALLYD_DECODE_SKIM_DRAW_H

#include "decode/skim_memory.h"

/* Draw a stencil of what stands at p, behind `from`, if the links there are
 * known, there is room for it, and `end` is far enough. */
void skim_draw(struct skim_memory *m, struct skim_link *from, const uint8_t *p,
               const uint8_t *end);

#endif
