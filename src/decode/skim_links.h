/* skim_links: the links of decode/skim_memory, found and learnt.
 *
 * Seldom done, so compiled once, without SIMD. Up to SKIM_LINK_BYTES behind
 * `end` are read, and do not matter. Pure. */
#ifndef TALLYD_DECODE_SKIM_LINKS_H
#define TALLYD_DECODE_SKIM_LINKS_H

#include "decode/skim_memory.h"

/* The number of the link that stands at p, of those that have stood behind
 * `from`; SKIM_FIRST: none of them does. */
uint32_t skim_choose(struct skim_memory *m, struct skim_link *from,
                     const uint8_t *p);

/* The link that stands at p behind `from`, learnt if it is new. NULL: there is
 * nothing that skim can take, or the memory was full and has been forgotten;
 * stop before the item. */
struct skim_link *skim_follow(struct skim_memory *m, struct skim_link *from,
                              const uint8_t *p, const uint8_t *end);

#endif
