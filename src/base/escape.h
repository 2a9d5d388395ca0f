/* escape: text from outside, made safe for where it is put.
 *
 * On a page, bytes that are not UTF-8 (RFC 3629) and control characters come
 * out as U+FFFD: no page has a use for them. */
#ifndef TALLYD_BASE_ESCAPE_H
#define TALLYD_BASE_ESCAPE_H

#include "base/buf.h"

/* Append it for HTML, as content or as a quoted attribute's value. */
void escape_html(struct buf *out, const char *text);

/* Append it for a label's value in an exposition of metrics. */
void escape_label(struct buf *out, const char *text);

/* Append `n` bytes as a reference token of a JSON pointer, behind its / (RFC
 * 6901, 3). */
void escape_pointer(struct buf *out, const char *token, size_t n);

#endif
