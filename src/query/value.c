/* value: see value.h. */
#include "query/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "query/text.h"

/* Numbers of fewer bytes need no memory. */
#define SHORT 64

/* Bytes of an integer, sign included, that surely fits int64. */
#define PLAIN_MAX 18

static const char *digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

/* Is all of it a number? *integer: without fraction and exponent. */
static bool is_number(const char *at, const char *end, bool *integer)
{
    at += at < end && *at == '-';
    const char *whole = at;
    at = digits(at, end);
    if (at == whole || (*whole == '0' && at - whole > 1))
        return false;
    *integer = at == end;
    if (at < end && *at == '.') {
        const char *fraction = ++at;
        at = digits(at, end);
        if (at == fraction)
            return false;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < end && (*at == '+' || *at == '-');
        const char *exponent = at;
        at = digits(at, end);
        if (at == exponent)
            return false;
    }
    return at == end;
}

/* An integer of up to PLAIN_MAX bytes, as almost all numbers are. */
static struct value_number plain(const char *text, size_t n)
{
    bool negative = *text == '-';
    int64_t value = 0;
    for (size_t i = negative; i < n; i++)
        value = value * 10 + (text[i] - '0');
    double approx = (double)value; /* rounded once, as from the text */
    return (struct value_number){true, negative ? -value : value,
                                 negative ? -approx : approx};
}

enum value_reading value_read_number(const char *text, size_t n,
                                     struct value_number *number)
{
    char room[SHORT], *copy = room;
    bool integer;
    if (!is_number(text, text + n, &integer))
        return VALUE_NOT_A_NUMBER;
    if (integer && n <= PLAIN_MAX) {
        *number = plain(text, n);
        return VALUE_READ;
    }
    if (n >= sizeof room && (copy = malloc(n + 1)) == NULL)
        return VALUE_NO_MEMORY;
    memcpy(copy, text, n);
    copy[n] = '\0';
    *number = (struct value_number){.approx = strtod(copy, NULL)};
    if (integer) {
        errno = 0;
        number->exact = strtoll(copy, NULL, 10);
        number->integer = errno == 0;
    }
    if (copy != room)
        free(copy);
    return VALUE_READ;
}

enum value_reading value_read_string(const char *raw, size_t n,
                                     struct value_number *number)
{
    char room[SHORT], *text = room;
    if (memchr(raw, '\\', n) == NULL)
        return value_read_number(raw, n, number);
    if (n > sizeof room && (text = malloc(n)) == NULL)
        return VALUE_NO_MEMORY;
    size_t len = text_decode(raw, n, text);
    enum value_reading reading = value_read_number(text, len, number);
    if (text != room)
        free(text);
    return reading;
}
