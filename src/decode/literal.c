/* literal: see literal.h. */
#include "decode/literal.h"

#include <stddef.h>
#include <string.h>

/* How far it is. */
enum part {
    STRING_PLAIN,
    STRING_ESCAPE, /* after the backslash */
    STRING_HEX,    /* within \uXXXX: `pending` digits to come */
    STRING_UTF8,   /* within a character: `pending` bytes to come */
    NUMBER_START,
    NUMBER_MINUS, /* a digit must follow */
    NUMBER_ZERO,  /* a leading zero: no digit may follow */
    NUMBER_INTEGER,
    NUMBER_POINT, /* a digit must follow */
    NUMBER_FRACTION,
    NUMBER_E,      /* a sign or a digit must follow */
    NUMBER_E_SIGN, /* a digit must follow */
    NUMBER_EXPONENT,
};

void literal_begin(struct literal *l, enum literal_kind kind, const char *word)
{
    *l = (struct literal){.kind = (uint8_t)kind, .word = word};
    l->part = kind == LITERAL_NUMBER ? NUMBER_START : STRING_PLAIN;
}

/* --- Strings. --- */

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(uint8_t c)
{
    uint8_t lower = c | 0x20;
    return is_digit(c) || (lower >= 'a' && lower <= 'f');
}

/* The first byte of a character of several (RFC 3629, 4): how many follow, and
 * within which bounds the next of them must be. */
static bool begin_utf8(struct literal *l, uint8_t c)
{
    if (c < 0xc2 || c > 0xf4)
        return false;
    l->low = 0x80;
    l->high = 0xbf;
    l->pending = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    if (c == 0xe0)
        l->low = 0xa0; /* not a longer form of what two bytes say */
    if (c == 0xed)
        l->high = 0x9f; /* no surrogates */
    if (c == 0xf0)
        l->low = 0x90;
    if (c == 0xf4)
        l->high = 0x8f; /* up to U+10FFFF */
    l->part = STRING_UTF8;
    return true;
}

/* One byte of a string that is not plain. NULL: it is fine. */
static const char *string_byte(struct literal *l, uint8_t c)
{
    switch (l->part) {
    case STRING_ESCAPE:
        if (c == 'u')
            l->pending = 4;
        else if (c == '\0' || strchr("\"\\/bfnrt", c) == NULL)
            return "an invalid escape in a string";
        l->part = c == 'u' ? STRING_HEX : STRING_PLAIN;
        return NULL;
    case STRING_HEX:
        if (!is_hex(c))
            return "an invalid \\u escape in a string";
        break;
    case STRING_UTF8:
        if (c < l->low || c > l->high)
            return LITERAL_NOT_UTF8;
        l->low = 0x80;
        l->high = 0xbf;
        break;
    default:
        if (c < 0x20)
            return "a control character in a string";
        if (c >= 0x80)
            return begin_utf8(l, c) ? NULL : LITERAL_NOT_UTF8;
        if (c == '\\') {
            l->part = STRING_ESCAPE;
            l->escaped = true;
        }
        return NULL;
    }
    if (--l->pending == 0)
        l->part = STRING_PLAIN;
    return NULL;
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The top bit of each byte that is zero, exactly: no carry leaves its byte
 * ("Determine if a word has a zero byte", Bit Twiddling Hacks). */
static uint64_t zero_bytes(uint64_t w)
{
    return ~(((w & EACH(0x7f)) + EACH(0x7f)) | w | EACH(0x7f));
}

/* Not 0: one of the eight bytes at p ends plain text. */
static uint64_t not_plain(const uint8_t *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    uint64_t control = zero_bytes(w & EACH(0xe0));
    return control | (w & EACH(0x80)) | zero_bytes(w ^ EACH('"')) |
           zero_bytes(w ^ EACH('\\'));
}

/* Behind the plain text at p, but for what is shorter than a word. */
static const uint8_t *skip_plain(const uint8_t *p, const uint8_t *end)
{
    while (end - p >= (ptrdiff_t)sizeof(uint64_t) && not_plain(p) == 0)
        p += sizeof(uint64_t);
    return p;
}

static enum literal_state feed_string(struct literal *l, const uint8_t **at,
                                      const uint8_t *end, const char **reason)
{
    if (l->part == STRING_PLAIN)
        *at = skip_plain(*at, end);
    for (; *at < end; ++*at) {
        if (l->part == STRING_PLAIN && **at == '"')
            return LITERAL_END;
        *reason = string_byte(l, **at);
        if (*reason != NULL)
            return LITERAL_FAULT;
    }
    return LITERAL_MORE;
}

/* --- Numbers. --- */

/* May a number end here? */
static bool is_whole(uint8_t part)
{
    return part == NUMBER_ZERO || part == NUMBER_INTEGER ||
           part == NUMBER_FRACTION || part == NUMBER_EXPONENT;
}

/* The part a digit leads to; -1: none may stand here. */
static int after_digit(uint8_t part, uint8_t c)
{
    switch (part) {
    case NUMBER_START:
    case NUMBER_MINUS:
        return c == '0' ? NUMBER_ZERO : NUMBER_INTEGER;
    case NUMBER_ZERO:
        return -1;
    case NUMBER_POINT:
        return NUMBER_FRACTION;
    case NUMBER_E:
    case NUMBER_E_SIGN:
        return NUMBER_EXPONENT;
    default:
        return part;
    }
}

/* The part a byte other than a digit leads to; -1: it is not of the number. */
static int after_sign(uint8_t part, uint8_t c)
{
    bool integer = part == NUMBER_ZERO || part == NUMBER_INTEGER;
    if (c == '.' && integer)
        return NUMBER_POINT;
    if ((c | 0x20) == 'e' && (integer || part == NUMBER_FRACTION))
        return NUMBER_E;
    if ((c == '+' || c == '-') && part == NUMBER_E)
        return NUMBER_E_SIGN;
    if (c == '-' && part == NUMBER_START)
        return NUMBER_MINUS;
    return -1;
}

static enum literal_state feed_number(struct literal *l, const uint8_t **at,
                                      const uint8_t *end, const char **reason)
{
    for (; *at < end; ++*at) {
        uint8_t c = **at;
        int next =
            is_digit(c) ? after_digit(l->part, c) : after_sign(l->part, c);
        if (next < 0) {
            *reason = is_digit(c)         ? "a leading zero in a number"
                      : is_whole(l->part) ? NULL
                                          : "no digit where a number needs "
                                            "one";
            return *reason == NULL ? LITERAL_END : LITERAL_FAULT;
        }
        l->part = (uint8_t)next;
    }
    return LITERAL_MORE;
}

/* --- true, false, null. --- */

static enum literal_state feed_word(struct literal *l, const uint8_t **at,
                                    const uint8_t *end, const char **reason)
{
    for (; *l->word != '\0'; ++*at, l->word++) {
        if (*at == end)
            return LITERAL_MORE;
        if (**at != (uint8_t)*l->word) {
            *reason = "a word that is not true, false or null";
            return LITERAL_FAULT;
        }
    }
    return LITERAL_END;
}

enum literal_state literal_feed(struct literal *l, const uint8_t **at,
                                const uint8_t *end, const char **reason)
{
    if (l->kind == LITERAL_STRING)
        return feed_string(l, at, end, reason);
    if (l->kind == LITERAL_NUMBER)
        return feed_number(l, at, end, reason);
    return feed_word(l, at, end, reason);
}

bool literal_may_end(const struct literal *l)
{
    return l->kind == LITERAL_NUMBER && is_whole(l->part);
}
