/* content_length: see content_length.h. */
#include "fastcgi/content_length.h"

#include <stddef.h>
#include <string.h>

bool content_length_parse(const char *text, uint64_t *length)
{
    uint64_t value = 0;
    *length = CONTENT_LENGTH_UNKNOWN;
    if (text == NULL || *text == '\0' || strcmp(text, "-1") == 0)
        return true;
    for (; *text >= '0' && *text <= '9'; text++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
            return false;
    if (*text != '\0')
        return false;
    *length = value;
    return true;
}
