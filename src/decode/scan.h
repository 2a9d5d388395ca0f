/* scan: the grammar of JSON (RFC 8259) over bytes that come in pieces.
 *
 * The specification of what a valid body is: every byte is checked, UTF-8
 * included, whatever becomes of the value. Resumable at any byte, no
 * allocation, nesting bounded by a stack of bits. Pure.
 *
 * Text that a token carries (keys, strings, numbers) comes in as many pieces
 * as the input had. */
#ifndef TALLYD_DECODE_SCAN_H
#define TALLYD_DECODE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/fault.h"
#include "decode/literal.h"

#define SCAN_DEPTH_MAX 1024

/* The reason of the fault that is not one of the grammar. */
#define SCAN_TOO_DEEP "nested deeper than max_depth"

enum scan_token {
    SCAN_MORE,  /* the bytes are used up */
    SCAN_FAULT, /* not JSON: `reason`, at `offset` */
    SCAN_OBJECT,
    SCAN_OBJECT_END,
    SCAN_ARRAY,
    SCAN_ARRAY_END,
    SCAN_KEY,    /* a piece of text */
    SCAN_STRING, /* a piece of text */
    SCAN_NUMBER, /* a piece of text */
    SCAN_WORD,   /* true, false or null, as a piece of text */
};

/* A piece of a token's text, in place. Of strings and keys: what stands
 * between the quotes, escapes as written. */
struct scan_text {
    const uint8_t *bytes;
    size_t n;
    bool first, last;
    bool escaped; /* this piece or one before has a backslash */
};

struct scan {
    uint64_t offset;     /* bytes taken; of the offending byte after a fault */
    uint64_t line;       /* 1-based */
    uint64_t line_start; /* offset of the line's first byte */
    const char *reason;  /* static text, after SCAN_FAULT */
    uint32_t depth;      /* open arrays and objects */
    uint32_t max_depth;
    uint8_t expect; /* between tokens: what may come */
    uint8_t token;  /* the token whose text is being read, or SCAN_MORE */
    struct literal literal;                  /* that text */
    uint64_t is_object[SCAN_DEPTH_MAX / 64]; /* one bit for each level */
};

/* Start on a document; max_depth is at most SCAN_DEPTH_MAX. */
void scan_begin(struct scan *s, uint32_t max_depth);

/* The next token of [*at, end), which is moved past it. After SCAN_MORE call
 * again with more bytes, or scan_finish(). A fault is final. */
enum scan_token scan_next(struct scan *s, const uint8_t **at,
                          const uint8_t *end, struct scan_text *text);

/* The input ends here. False: the document is not complete, a fault. */
bool scan_finish(struct scan *s);

/* What is wrong, after a fault. */
void scan_fault(const struct scan *s, struct fault *fault);

/* --- For a decoder that goes over a part of a document by itself. --- */

/* What stands before the next byte. */
enum scan_where {
    SCAN_BEHIND_NOTHING, /* the document begins */
    SCAN_BEHIND_BRACKET, /* an opening one */
    SCAN_BEHIND_COMMA,
    SCAN_BEHIND_VALUE, /* or the end of an array or object */
    SCAN_BEHIND_NAME,
};

/* After scan_begin(): one more level is open. */
void scan_open(struct scan *s, bool object);

/* After those: go on there; or, `in_string`, within the string that comes to
 * its end there, between two of its characters or escapes. Set offset, line and
 * line_start, too. */
void scan_resume(struct scan *s, enum scan_where where, bool in_string);

/* True: the last token was a value or an opening bracket, and is complete. */
bool scan_where(const struct scan *s, enum scan_where *where);

/* Is that level, from 0, an object? */
bool scan_is_object(const struct scan *s, uint32_t level);

#endif
