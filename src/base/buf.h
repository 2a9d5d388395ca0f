/* buf: a bounded run of bytes with a sticky overflow flag.
 *
 * Append as often as you like and ask `overflow` once, at the end. A buffer
 * never grows: what does not fit is dropped whole and the flag stays set, so
 * a half-written value can never pass for a complete one. */
#ifndef TALLYD_BASE_BUF_H
#define TALLYD_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data; /* borrowed from the caller; NUL-terminated when cap > 0 */
    size_t cap; /* bytes at `data`, the terminating NUL included */
    size_t len; /* bytes in use, the NUL not counted */
    bool overflow;
};

/* Start an empty buffer on `cap` bytes at `data`. */
void buf_init(struct buf *b, char *data, size_t cap);

/* Empty it and forget an earlier overflow. */
void buf_reset(struct buf *b);

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
/* In decimal digits. For what is written with every request: printf(3) takes
 * ten times as long. */
void buf_uint(struct buf *b, uint64_t value);
void buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

#endif
