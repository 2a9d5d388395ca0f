/* base64: see base64.h. */
#include "base/base64.h"

#include <stdint.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "abcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_put(struct buf *out, const void *bytes, size_t n)
{
    const unsigned char *text = bytes;
    for (size_t at = 0; at < n; at += 3) {
        uint32_t bits = 0;
        for (size_t i = 0; i < 3; i++)
            bits = bits << 8 | (at + i < n ? text[at + i] : 0);
        for (size_t i = 0; i < 4; i++)
            buf_char(out, at + i > n ? '=' : digits[bits >> (18 - 6 * i) & 63]);
    }
}

bool base64_decode(const char *text, size_t n, char *bytes, size_t *decoded)
{
    uint32_t bits = 0;
    size_t count = 0, made = 0;
    if (n % 4 != 0)
        return false;
    for (int i = 0; i < 2; i++)
        n -= n > 0 && text[n - 1] == '=';
    for (; count < n; count++) {
        const char *digit = memchr(digits, text[count], sizeof digits - 1);
        if (digit == NULL)
            return false;
        bits = bits << 6 | (uint32_t)(digit - digits);
        if (count % 4 != 0)
            bytes[made++] = (char)(bits >> (6 - 2 * (count % 4)));
    }
    *decoded = made;
    return count % 4 != 1 &&
           (count % 4 == 0 || (bits & (count % 4 == 2 ? 15 : 3)) == 0);
}
