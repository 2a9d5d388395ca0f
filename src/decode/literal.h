/* literal: the strings, numbers and words of JSON (RFC 8259, 3, 6 and 7), byte
 * by byte and resumable at any of them. The half of decode/scan that knows no
 * nesting. Pure. */
#ifndef TALLYD_DECODE_LITERAL_H
#define TALLYD_DECODE_LITERAL_H

#include <stdbool.h>
#include <stdint.h>

/* The reason of a fault in a character of several bytes. */
#define LITERAL_NOT_UTF8 "not UTF-8"

enum literal_kind { LITERAL_STRING, LITERAL_NUMBER, LITERAL_WORD };

struct literal {
    uint8_t kind;
    uint8_t part;      /* how far it is */
    uint8_t pending;   /* bytes the current escape or character still needs */
    uint8_t low, high; /* bounds of the next byte of a character */
    bool escaped;      /* a backslash has come */
    const char *word;  /* what is left of true, false or null */
};

enum literal_state { LITERAL_MORE, LITERAL_END, LITERAL_FAULT };

/* Start after the opening quote, or at the first byte of a number or of
 * `word`. */
void literal_begin(struct literal *l, enum literal_kind kind, const char *word);

/* Move *at over what belongs to it. LITERAL_END: *at is behind it; of a string,
 * at its closing quote. LITERAL_FAULT: *at is at the offending byte and
 * *reason (static) says why. */
enum literal_state literal_feed(struct literal *l, const uint8_t **at,
                                const uint8_t *end, const char **reason);

/* May it end where the input ends? Only a number can. */
bool literal_may_end(const struct literal *l);

#endif
