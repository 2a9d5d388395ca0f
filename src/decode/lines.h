/* lines: a body of lines, taken line by line as it comes.
 *
 * A line ends before a line feed, or with the body. One that holds nothing but
 * spaces, tabs and carriage returns is blank: no document. Pure. */
#ifndef TALLYD_DECODE_LINES_H
#define TALLYD_DECODE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/fault.h"

struct lines {
    uint64_t number; /* of the line, from 1 */
    uint64_t start;  /* its offset in the body */
    uint64_t taken;  /* bytes of the body so far */
    bool blank;      /* the line so far */
};

/* A body begins, and with it the first line. */
void lines_begin(struct lines *l);

/* The next line begins. */
void lines_next(struct lines *l);

/* The next *n bytes of the line are at *at; *at moves behind them, and behind
 * the line feed that is there. True: so the line ends. */
bool lines_take(struct lines *l, const uint8_t **at, const uint8_t *end,
                size_t *n);

/* A fault in the line's document becomes one of the body. Always false. */
bool lines_fail(const struct lines *l, struct fault *fault);

#endif
