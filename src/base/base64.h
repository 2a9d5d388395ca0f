/* base64: bytes as text and back (RFC 4648, 4). */
#ifndef TALLYD_BASE_BASE64_H
#define TALLYD_BASE_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Characters that `n` bytes become. */
#define BASE64_LENGTH(n) (((n) + 2) / 3 * 4)

void base64_put(struct buf *out, const void *bytes, size_t n);

/* Decode the `n` characters at `text` into `bytes`, which may be the same
 * place; *decoded says how many they are. False: it is none, or its last
 * character has bits that belong to nothing. */
bool base64_decode(const char *text, size_t n, char *bytes, size_t *decoded);

#endif
