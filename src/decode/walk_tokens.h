/* walk_tokens: the values that a program wants, taken from the tokens of scan
 * and handed to its evaluation, where there is no window. */
#ifndef TALLYD_DECODE_WALK_TOKENS_H
#define TALLYD_DECODE_WALK_TOKENS_H

#include <stddef.h>
#include <stdint.h>

#include "decode/scan.h"
#include "decode/walk_state.h"

/* A token of scan, or SCAN_MORE, for which it went over the n bytes at `bytes`.
 */
void walk_tokens_take(struct walk_state *w, const struct scan *scan,
                      enum scan_token token, const struct scan_text *text,
                      const uint8_t *bytes, size_t n);

/* As walk_in_name(). */
void walk_tokens_in_name(struct walk_state *w);

/* The document is complete. */
void walk_tokens_end(struct walk_state *w);

#endif
