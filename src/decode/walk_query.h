/* walk_query: the values that a program wants, taken from a document as it goes
 * by and handed to its evaluation.
 *
 * As decode/walk, which is for one field alone and faster, it is led by the
 * events of windows or by tokens of scan, in turns. Both open and close the
 * same frames: one for each bracket down to plan.depth that is open, with the
 * node of decode/paths that it is.
 *
 * Memory does not grow with the body: what is kept is one name or number where
 * scan reads it, and what query/evaluation keeps. */
#ifndef TALLYD_DECODE_WALK_QUERY_H
#define TALLYD_DECODE_WALK_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "decode/fault.h"
#include "decode/gather.h"
#include "decode/paths.h"
#include "decode/scan.h"
#include "query/evaluation.h"
#include "query/slots.h"

struct walk_query_frame {
    struct paths_inside in;
    int8_t kept;         /* the slot that keeps its text; -1: none */
    bool object;         /* of that text: it is an object, not a list */
    const uint8_t *from; /* of that text, what has not been handed over */
    uint64_t count;      /* elements so far, if they are wanted */
};

/* A part of `array`, from one list to the next: see PATHS_PART. */
struct walk_query_part {
    bool saved;            /* there is a checkpoint to go back to */
    enum value_kind found; /* where the list should be */
};

struct walk_query {
    const struct paths *paths;
    struct evaluation *evaluation;
    struct slots *slots;                                 /* of the evaluation */
    struct walk_query_frame frames[PATHS_DEPTH_MAX + 1]; /* by level, from 1 */
    struct walk_query_part parts[EVALUATION_LISTS_MAX];
    uint16_t *next; /* of each member, that which came behind it the last time,
                       and of each object its first: it is tried first */
    const struct walk_query_frame *deepest; /* the last one that is used */
    unsigned keeping;                       /* frames that keep their text */
    uint16_t pending;   /* the node of the value that comes next; 0: none */
    uint16_t coming;    /* of the value whose text comes in pieces; 0: none */
    struct gather text; /* for tokens: of one name or number */
    bool short_of_memory;
};

/* False: memory is short. The paths are borrowed. Free it in any case. */
bool walk_query_open(struct walk_query *w, const struct paths *paths);
void walk_query_free(struct walk_query *w);

/* Start on a body. */
void walk_query_begin(struct walk_query *w);

/* Of a body of lines: the document of another one begins; of the first, too. */
void walk_query_line(struct walk_query *w, uint64_t number);

/* The document is complete. */
void walk_query_end(struct walk_query *w);

/* As walk_events(). */
void walk_query_events(struct walk_query *w, uint32_t depth,
                       const uint8_t *from, const uint16_t *at, size_t n,
                       bool escapes, const uint8_t *cut, const uint8_t *end);

/* The next n bytes of the string in which the last window ended; `last`: the
 * last of them is its quote. */
void walk_query_string(struct walk_query *w, const uint8_t *bytes, size_t n,
                       bool last);

/* A token of scan, or SCAN_MORE, for which it went over the n bytes at `bytes`.
 */
void walk_query_token(struct walk_query *w, const struct scan *scan,
                      enum scan_token token, const struct scan_text *text,
                      const uint8_t *bytes, size_t n);

/* As walk_in_name(). */
void walk_query_in_name(struct walk_query *w);

/* The body is complete. As evaluation_finish(), with the fault in the words
 * of replies. */
bool walk_query_finish(struct walk_query *w, struct buf *out,
                       struct fault *fault);

#endif
