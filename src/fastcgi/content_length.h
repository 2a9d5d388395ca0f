/* content_length: the CGI variable CONTENT_LENGTH (RFC 3875, 4.1.2). Pure. */
#ifndef TALLYD_FASTCGI_CONTENT_LENGTH_H
#define TALLYD_FASTCGI_CONTENT_LENGTH_H

#include <stdbool.h>
#include <stdint.h>

#define CONTENT_LENGTH_UNKNOWN UINT64_MAX

/* How many bytes of body it announces; unknown where it is absent (NULL), empty
 * or -1, which is how Caddy says so of a chunked body. False: it is no length,
 * and unknown. */
bool content_length_parse(const char *text, uint64_t *length);

#endif
