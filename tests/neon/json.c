/* json: what the typed decoder wants of decode/json, without json-c, which is
 * not there for a foreign processor. Its answers are compared with Node's, so a
 * mistake here is a failed test and nothing else. */
#include "decode/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool json_int64(const char *text, int64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0' && end != text;
}

double json_double(const char *text)
{
    return strtod(text, NULL);
}

/* The UTF-16 code unit of \uXXXX. */
static unsigned long unit(const char *digits)
{
    char text[5] = {0};
    memcpy(text, digits, 4);
    return strtoul(text, NULL, 16);
}

static size_t put_utf8(unsigned long c, char *out)
{
    size_t tail = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
    for (size_t i = tail; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(lead[tail] | c);
    return tail + 1;
}

/* The escape at `raw`, behind its backslash; gives its bytes. */
static size_t decode(const char *raw, char *out, size_t *written)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *short_form = strchr(from, raw[0]);
    if (raw[0] != 'u') {
        out[0] = short_form == NULL ? raw[0] : to[short_form - from];
        *written = 1;
        return 1;
    }
    unsigned long c = unit(raw + 1);
    bool is_pair = c >= 0xd800 && c < 0xdc00 && raw[5] == '\\' && raw[6] == 'u';
    unsigned long low = is_pair ? unit(raw + 7) : 0;
    is_pair = is_pair && low >= 0xdc00 && low < 0xe000;
    *written = put_utf8(
        is_pair ? 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00) : c, out);
    return is_pair ? 11 : 5;
}

bool json_string_is(const char *raw, size_t n, const char *wanted)
{
    size_t left = strlen(wanted);
    for (size_t at = 0; at < n;) {
        char bytes[4];
        size_t written = 1;
        if (raw[at] == '\\')
            at += 1 + decode(raw + at + 1, bytes, &written);
        else
            bytes[0] = raw[at++];
        if (written > left || memcmp(bytes, wanted, written) != 0)
            return false;
        wanted += written;
        left -= written;
    }
    return left == 0;
}
