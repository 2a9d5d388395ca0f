/* utf8: see utf8.h. */
#include "base/utf8.h"

size_t utf8_length(const unsigned char *s)
{
    if (s[0] < 0x80)
        return 1;
    size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    unsigned char low = 0x80, high = 0xbf;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    if (s[0] == 0xe0)
        low = 0xa0;
    else if (s[0] == 0xed)
        high = 0x9f;
    else if (s[0] == 0xf0)
        low = 0x90;
    else if (s[0] == 0xf4)
        high = 0x8f;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

bool utf8_is_text(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t n = 1;
    for (; *s != '\0' && n > 0; s += n)
        n = utf8_length(s);
    return n > 0;
}

bool utf8_is_control(const unsigned char *s, size_t n)
{
    return (n == 1 && (*s < 0x20 || *s == 0x7f)) ||
           (n == 2 && s[0] == 0xc2 && s[1] < 0xa0);
}

void utf8_make_printable(char *text)
{
    for (size_t n; *text != '\0'; text += n) {
        n = utf8_length((const unsigned char *)text);
        if (n == 0 || utf8_is_control((const unsigned char *)text, n)) {
            *text = '?';
            n = 1;
        }
    }
}
