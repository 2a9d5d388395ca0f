/* certificate: until when the certificates of a PEM file are valid (RFC 5280,
 * 4.1.2.5; RFC 7468). Nothing else of them is looked at. */
#ifndef TALLYD_CTL_CERTIFICATE_H
#define TALLYD_CTL_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* The end of the first certificate of the text, or with `latest` of the one
 * that lasts longest. `text` is used up. False: there is none. */
bool certificate_until(char *text, size_t n, bool latest, time_t *until);

#endif
