/* escape: see escape.h. */
#include "base/escape.h"

#include "base/utf8.h"

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
        else if (n == 0 || utf8_is_control(s, n))
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

void escape_pointer(struct buf *out, const char *token, size_t n)
{
    buf_char(out, '/');
    for (size_t i = 0; i < n; i++)
        if (token[i] == '~' || token[i] == '/')
            buf_str(out, token[i] == '~' ? "~0" : "~1");
        else
            buf_char(out, token[i]);
}
