/* content_length: see content_length.h. */
#include "fastcgi/content_length.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

bool content_length_parse(const char *text, uint64_t *length)
{
    char *end;
    *length = CONTENT_LENGTH_UNKNOWN;
    if (text == NULL || *text == '\0' || strcmp(text, "-1") == 0)
        return true;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0')
        return false;
    *length = value;
    return true;
}
