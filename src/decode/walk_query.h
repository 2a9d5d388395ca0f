/* walk_query: the values that a program wants, taken from windows as they go by
 * and handed to its evaluation.
 *
 * As decode/walk, which is for one field alone and faster, it is led by the
 * events of windows: brackets, and candidates for wanted names. */
#ifndef TALLYD_DECODE_WALK_QUERY_H
#define TALLYD_DECODE_WALK_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/walk_state.h"

/* As walk_events(). */
void walk_query_events(struct walk_state *w, uint32_t depth,
                       const uint8_t *from, const uint16_t *at, size_t n,
                       bool escapes, const uint8_t *cut, const uint8_t *end);

/* The next n bytes of the string in which the last window ended; `last`: the
 * last of them is its quote. */
void walk_query_string(struct walk_state *w, const uint8_t *bytes, size_t n,
                       bool last);

#endif
