/* escape: see escape.h. */
#include "domain/escape.h"

#include <stdbool.h>
#include <string.h>

/* Length of the valid UTF-8 sequence at `s` (RFC 3629, 4), 0 for none. */
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

/* U+0080 to U+009F, the second kind of control characters. */
static bool is_control(const unsigned char *s, size_t n)
{
    return (n == 1 && (*s < 0x20 || *s == 0x7f)) ||
           (n == 2 && s[0] == 0xc2 && s[1] < 0xa0);
}

/* What stands for a character that must not stand for itself. */
struct escape {
    char character;
    const char *text;
};

static void escape(struct buf *out, const char *text, const struct escape *list)
{
    const unsigned char *s = (const unsigned char *)text;
    while (*s != '\0') {
        const struct escape *e = list;
        while (e->text != NULL && e->character != (char)*s)
            e++;
        size_t n = utf8_length(s);
        if (e->text != NULL)
            buf_str(out, e->text);
        else if (n == 0 || is_control(s, n))
            buf_str(out, "\xef\xbf\xbd");
        else
            buf_add(out, s, n);
        s += n == 0 ? 1 : n;
    }
}

void escape_html(struct buf *out, const char *text)
{
    static const struct escape list[] = {{'&', "&amp;"},  {'<', "&lt;"},
                                         {'>', "&gt;"},   {'"', "&quot;"},
                                         {'\'', "&#39;"}, {0, NULL}};
    escape(out, text, list);
}

void escape_label(struct buf *out, const char *text)
{
    static const struct escape list[] = {
        {'\\', "\\\\"}, {'"', "\\\""}, {'\n', "\\n"}, {0, NULL}};
    escape(out, text, list);
}
