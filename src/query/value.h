/* value: a JSON value as a query sees it, its numbers, and the comparisons of
 * RFC 9535, 2.3.5.2.2.
 *
 * Numbers: two integers of 64 bits, as they are written, without a fraction or
 * an exponent, compare exactly; all else compares as IEEE 754 binary64. Strings
 * compare by Unicode scalar value. Pure. */
#ifndef TALLYD_QUERY_VALUE_H
#define TALLYD_QUERY_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_kind {
    VALUE_ABSENT,
    VALUE_NULL,
    VALUE_FALSE,
    VALUE_TRUE,
    VALUE_NUMBER,
    VALUE_STRING,
    VALUE_LIST,
    VALUE_OBJECT,
};

struct value_number {
    bool integer; /* written as one, and of 64 bits: `exact` is it */
    int64_t exact;
    double approx; /* correctly rounded; infinite beyond all doubles */
};

struct value {
    enum value_kind kind;
    const char *text; /* a number or what it holds, as written; of a string what
                         stands between the quotes */
    size_t n;
    struct value_number number; /* VALUE_NUMBER */
};

/* The kind of a value of JSON text that begins with this byte. */
static inline enum value_kind value_kind_of(char first)
{
    switch (first) {
    case '{':
        return VALUE_OBJECT;
    case '[':
        return VALUE_LIST;
    case '"':
        return VALUE_STRING;
    case 't':
        return VALUE_TRUE;
    case 'f':
        return VALUE_FALSE;
    case 'n':
        return VALUE_NULL;
    default:
        return VALUE_NUMBER;
    }
}

enum value_reading { VALUE_READ, VALUE_NOT_A_NUMBER, VALUE_NO_MEMORY };

/* Read a number of RFC 8259, 6, all of [text, text + n). */
enum value_reading value_read_number(const char *text, size_t n,
                                     struct value_number *number);

/* Read the number that a string's characters are; `raw` as in query/text. */
enum value_reading value_read_string(const char *raw, size_t n,
                                     struct value_number *number);

/* Less than 0, 0, more than 0; two different NaN do not occur. */
static inline int value_compare_numbers(const struct value_number *a,
                                        const struct value_number *b)
{
    if (a->integer && b->integer)
        return (a->exact > b->exact) - (a->exact < b->exact);
    return (a->approx > b->approx) - (a->approx < b->approx);
}

enum value_comparison {
    VALUE_EQ,
    VALUE_NE,
    VALUE_LT,
    VALUE_LE,
    VALUE_GT,
    VALUE_GE
};

/* What the operator gives for two values of the kinds that are neither both
 * numbers nor both strings, of which `equal` says whether they are equal. */
static inline bool value_holds(enum value_comparison c, bool equal)
{
    return c == VALUE_NE ? !equal : equal && c != VALUE_LT && c != VALUE_GT;
}

/* What it gives for two numbers, or two strings, of which `order` is known. */
static inline bool value_holds_in_order(enum value_comparison c, int order)
{
    enum { LESS = 1, SAME = 2, MORE = 4 };
    static const uint8_t holds[] = {
        [VALUE_EQ] = SAME, [VALUE_NE] = LESS | MORE,
        [VALUE_LT] = LESS, [VALUE_LE] = LESS | SAME,
        [VALUE_GT] = MORE, [VALUE_GE] = SAME | MORE};
    unsigned is = order < 0 ? LESS : order == 0 ? SAME : MORE;
    return (holds[c] & is) != 0;
}

#endif
