/* lexer: see lexer.h. */
#include "query/lexer.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "query/text.h"

bool lexer_begin(struct lexer *l, const char *text, struct program *program,
                 struct lexer_error *error)
{
    *l = (struct lexer){text, text, program, error, 0};
    *error = (struct lexer_error){.column = 0};
    return strlen(text) <= LEXER_TEXT_MAX ||
           lexer_fail(l, text + LEXER_TEXT_MAX, "longer than %d bytes",
                      LEXER_TEXT_MAX);
}

bool lexer_fail(struct lexer *l, const char *at, const char *fmt, ...)
{
    struct lexer_error *e = l->error;
    e->column = (size_t)(at - l->text) + 1;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e->message, sizeof e->message, fmt, ap);
    va_end(ap);
    return false;
}

/* How much of `at` to show: a word, a sign, or one character. */
static int shown(const char *at)
{
    size_t n = lexer_name_length(at);
    if (n == 0)
        n = utf8_length((const unsigned char *)at);
    return n == 0 ? 1 : n > 40 ? 40 : (int)n;
}

bool lexer_expected(struct lexer *l, const char *what)
{
    if (*l->at == '\0')
        return lexer_fail(l, l->at, "expected %s, found the end", what);
    return lexer_fail(l, l->at, "expected %s, found %.*s", what, shown(l->at),
                      l->at);
}

bool lexer_no_memory(struct lexer *l)
{
    return lexer_fail(l, l->at, "memory is short");
}

void lexer_blanks(struct lexer *l)
{
    l->at += strspn(l->at, " \t\n\r");
}

bool lexer_take(struct lexer *l, const char *word)
{
    size_t n = strlen(word);
    if (strncmp(l->at, word, n) != 0)
        return false;
    l->at += n;
    return true;
}

bool lexer_nest(struct lexer *l)
{
    return ++l->nesting <= PROGRAM_NESTING_MAX ||
           lexer_fail(l, l->at, "nested deeper than %d levels",
                      PROGRAM_NESTING_MAX);
}

/* --- Names. --- */

/* Bytes of a name-char at `at`; digits only where `digit`. */
static size_t name_char(const char *at, bool digit)
{
    unsigned char c = (unsigned char)*at;
    if (c < 0x80)
        return isalpha(c) || c == '_' || (digit && isdigit(c)) ? 1 : 0;
    return utf8_length((const unsigned char *)at);
}

size_t lexer_name_length(const char *at)
{
    size_t n = 0, more = name_char(at, false);
    while (more > 0) {
        n += more;
        more = name_char(at + n, true);
    }
    return n;
}

bool lexer_is_word(const char *name, size_t n)
{
    return (n == 4 && (strncasecmp(name, "true", n) == 0 ||
                       strncasecmp(name, "null", n) == 0)) ||
           (n == 5 && strncasecmp(name, "false", n) == 0);
}

/* --- Strings. --- */

/* The four digits at `at`; -1: they are none. */
static int hex_unit(const char *at)
{
    static const char digits[] = "0123456789abcdef";
    int unit = 0;
    for (int i = 0; i < 4; i++) {
        const char *digit = at[i] == '\0'
                                ? NULL
                                : strchr(digits, tolower((unsigned char)at[i]));
        if (digit == NULL)
            return -1;
        unit = unit << 4 | (int)(digit - digits);
    }
    return unit;
}

/* hexchar, behind \u; a pair of surrogates is one character. */
static bool take_hex(struct lexer *l, char *out, size_t *n)
{
    int unit = hex_unit(l->at), low;
    uint32_t character = (uint32_t)unit;
    if (unit < 0)
        return lexer_expected(l, "four hexadecimal digits after \\u");
    if (unit >= 0xdc00 && unit <= 0xdfff)
        return lexer_fail(l, l->at,
                          "the second half of a surrogate pair "
                          "without the first");
    l->at += 4;
    if (unit >= 0xd800 && unit <= 0xdbff) {
        low = strncmp(l->at, "\\u", 2) == 0 ? hex_unit(l->at + 2) : -1;
        if (low < 0xdc00 || low > 0xdfff)
            return lexer_expected(l, "the second half of a surrogate pair");
        l->at += 6;
        character = 0x10000 + ((uint32_t)(unit - 0xd800) << 10) +
                    (uint32_t)(low - 0xdc00);
    }
    *n += text_encode(character, (uint8_t *)out + *n);
    return true;
}

/* An escape, behind its backslash. */
static bool take_escape(struct lexer *l, char quote, char *out, size_t *n)
{
    static const char names[] = "bfnrt/\\", bytes[] = "\b\f\n\r\t/\\";
    const char *at = *l->at == '\0' ? NULL : strchr(names, *l->at);
    if (*l->at == 'u') {
        l->at++;
        return take_hex(l, out, n);
    }
    if (at == NULL && *l->at != quote)
        return lexer_expected(l, "one of b f n r t / \\ u or the quote that "
                                 "the string is in after \\");
    out[(*n)++] = at == NULL ? quote : bytes[at - names];
    l->at++;
    return true;
}

bool lexer_string(struct lexer *l, struct program_name *characters)
{
    char out[LEXER_TEXT_MAX];
    const char *start = l->at;
    char quote = *l->at++;
    size_t n = 0;
    while (*l->at != quote) {
        size_t length = utf8_length((const unsigned char *)l->at);
        if (*l->at == '\0')
            return lexer_fail(l, start, "a string without its closing %c",
                              quote);
        if (length == 0)
            return lexer_fail(l, l->at, "not UTF-8");
        if ((unsigned char)*l->at < 0x20)
            return lexer_fail(l, l->at, "a control character in a string");
        if (*l->at == '\\') {
            l->at++;
            if (!take_escape(l, quote, out, &n))
                return false;
            continue;
        }
        memcpy(out + n, l->at, length);
        n += length;
        l->at += length;
    }
    l->at++;
    characters->bytes = program_keep(l->program, out, n);
    characters->n = n;
    return characters->bytes != NULL || lexer_no_memory(l);
}

/* --- Numbers. --- */

static bool digits(struct lexer *l, const char *behind)
{
    char what[64];
    snprintf(what, sizeof what, "a digit%s", behind);
    if (!isdigit((unsigned char)*l->at))
        return lexer_expected(l, what);
    l->at += strspn(l->at, "0123456789");
    return true;
}

bool lexer_number(struct lexer *l, struct value *number)
{
    const char *start = l->at;
    l->at += *l->at == '-';
    if (*l->at == '0' && isdigit((unsigned char)l->at[1]))
        return lexer_fail(l, l->at,
                          "a number starts with no 0 before other "
                          "digits");
    if (!digits(l, ""))
        return false;
    if (lexer_take(l, ".") && !digits(l, " after the point"))
        return false;
    if (*l->at == 'e' || *l->at == 'E') {
        l->at++;
        l->at += *l->at == '+' || *l->at == '-';
        if (!digits(l, " of the exponent"))
            return false;
    }
    *number =
        (struct value){.kind = VALUE_NUMBER, .n = (size_t)(l->at - start)};
    number->text = program_keep(l->program, start, number->n);
    return (number->text != NULL &&
            value_read_number(number->text, number->n, &number->number) ==
                VALUE_READ) ||
           lexer_no_memory(l);
}
