/* utf8: where a character ends (RFC 3629), and which only drive a terminal. */
#ifndef TALLYD_BASE_UTF8_H
#define TALLYD_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the valid UTF-8 sequence at `s`, which ends with NUL; 0: there is
 * none. */
size_t utf8_length(const unsigned char *s);

/* Is all of it valid? */
bool utf8_is_text(const char *text);

/* Is the sequence of `n` bytes at `s` a control character? Those are U+0000 to
 * U+001F, U+007F, and U+0080 to U+009F, of which some terminals take U+009B
 * for ESC [. */
bool utf8_is_control(const unsigned char *s, size_t n);

/* Put a '?' in place of the first byte of each control character, and of each
 * byte that is no UTF-8, so that a message which repeats what somebody wrote
 * cannot steer a terminal. */
void utf8_make_printable(char *text);

#endif
