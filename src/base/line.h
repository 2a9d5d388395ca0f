/* line: one line of the log under construction, in the form its destination
 * wants.
 *
 * Whatever the texts contain, a line stays one line, drives no terminal, is
 * valid UTF-8 and, as JSON, a complete object (RFC 8259): what does not fit is
 * left out, and a JSON line says so with "cut":true. */
#ifndef TALLYD_BASE_LINE_H
#define TALLYD_BASE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Longest line, its newline included; the rest of a longer one is cut. */
#define LINE_MAX_BYTES 2048

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

enum line_style {
    LINE_PLAIN,    /* 2026-01-02T03:04:05.678Z info worker 3[41]: ... */
    LINE_PREFIXED, /* <6>worker 3[41]: ...        see sd-daemon(3) */
    LINE_SYSLOG,   /* <30>Jan  2 03:04:05 tallyd[41]: worker 3: ... */
    LINE_JOURNAL   /* KEY=value, one a line; systemd.journal-fields(7) */
};

struct line_head {
    enum line_style style;
    bool json; /* an object; LINE_JOURNAL has fields anyway */
    enum log_level level;
    int64_t wall;     /* ns since 1970 */
    const char *pool; /* its name */
    const char *name; /* of the process, e.g. "worker 3" */
    int pid;
};

struct line {
    struct buf out;
    struct buf fields; /* LINE_JOURNAL: what follows the message */
    enum line_style style;
    bool json;
    bool begun;                    /* something of the message is there */
    bool cut;                      /* something is not */
    char room[2 * LINE_MAX_BYTES]; /* the second half: for the fields */
    char field_room[LINE_MAX_BYTES];
};

void line_begin(struct line *l, const struct line_head *head);

/* The message for people; "" for a line that only has fields. Once, first. */
void line_message(struct line *l, const char *text);

/* A field: "key=value" in text, a member in JSON, KEY=value in the journal. A
 * word is one of ours that needs no quotes, and is quoted when it does. */
void line_word(struct line *l, const char *key, const char *value);
void line_text(struct line *l, const char *key, const char *value);
void line_number(struct line *l, const char *key, int64_t value);

/* A time in ns: key=1.234ms in text; in JSON and the journal the number alone,
 * as key_ms. */
void line_ms(struct line *l, const char *key, int64_t ns);

/* Finish it; gives its bytes, which are in *l. */
const char *line_end(struct line *l, size_t *n);

#endif
