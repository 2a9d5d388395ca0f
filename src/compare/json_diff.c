/* json_diff: see json_diff.h. */
#include "compare/json_diff.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "decode/json.h"

/* --- Numbers. --- */

/* 0.DIGITS * 10^point without leading or trailing zeros; none: zero. The
 * digits stand in the text, with a point among them perhaps. */
struct decimal {
    bool minus;
    const char *digits;
    size_t count;
    int64_t point;
};

/* Beyond any document's length; what is larger is as large. */
#define EXPONENT_MAX INT64_C(1000000000000000)

static int64_t read_exponent(const char *text)
{
    bool minus = *text == '-';
    int64_t value = 0;
    text += *text == '-' || *text == '+';
    for (; *text != '\0' && value < EXPONENT_MAX; text++)
        value = value * 10 + (*text - '0');
    return minus ? -value : value;
}

static struct decimal read_decimal(const char *text)
{
    struct decimal d = {.minus = *text == '-'};
    bool fraction = false;
    size_t zeros = 0; /* that may turn out to be trailing */
    for (text += d.minus; *text != '\0' && (*text | 0x20) != 'e'; text++) {
        if (*text == '.') {
            fraction = true;
        } else if (*text == '0' && d.count == 0) {
            d.point -= fraction;
        } else {
            d.digits = d.count == 0 ? text : d.digits;
            d.count += *text == '0' ? 0 : zeros + 1;
            zeros = *text == '0' ? zeros + 1 : 0;
            d.point += !fraction;
        }
    }
    if (d.count == 0)
        d.point = 0;
    else if (*text != '\0')
        d.point += read_exponent(text + 1);
    return d;
}

static bool same_digits(const struct decimal *a, const struct decimal *b)
{
    const char *p = a->digits, *q = b->digits;
    for (size_t i = 0; i < a->count; i++, p++, q++) {
        p += *p == '.';
        q += *q == '.';
        if (*p != *q)
            return false;
    }
    return true;
}

enum json_diff json_diff_numbers(const char *a, const char *b)
{
    if (strcmp(a, b) == 0)
        return JSON_DIFF_NOT;
    struct decimal x = read_decimal(a), y = read_decimal(b);
    bool sign = x.minus == y.minus || x.count == 0; /* -0 is 0 */
    if (sign && x.count == y.count && x.point == y.point && same_digits(&x, &y))
        return JSON_DIFF_FORM;
    double p = json_double(a), q = json_double(b);
    return p >= q && p <= q ? JSON_DIFF_ROUNDED : JSON_DIFF_NUMBER;
}

/* --- The pointer. --- */

/* The way to the values that are compared, as a list from the inside out. */
struct step {
    const struct step *outer;
    const struct json_tree_value *member; /* NULL: an element */
    uint32_t index;
};

static void add_steps(struct buf *out, const struct step *s)
{
    if (s == NULL)
        return;
    add_steps(out, s->outer);
    if (s->member != NULL)
        escape_pointer(out, s->member->name, s->member->name_len);
    else
        buf_printf(out, "/%" PRIu32, s->index);
}

static bool found(struct difference *d, enum json_diff kind,
                  const struct step *at, const struct json_tree_value *a,
                  const struct json_tree_value *b)
{
    struct buf pointer;
    buf_init(&pointer, d->pointer, sizeof d->pointer);
    add_steps(&pointer, at);
    d->kind = kind;
    d->a = a;
    d->b = b;
    return false;
}

/* --- Values. --- */

static bool compare(const struct json_tree_value *a,
                    const struct json_tree_value *b, const struct step *at,
                    struct difference *d);

/* By name; of one name, the last first: they stand in the order of the text. */
static int by_name(const void *x, const void *y)
{
    const struct json_tree_value *a = *(const struct json_tree_value *const *)x;
    const struct json_tree_value *b = *(const struct json_tree_value *const *)y;
    size_t n = a->name_len < b->name_len ? a->name_len : b->name_len;
    int order = memcmp(a->name, b->name, n);
    if (order != 0)
        return order;
    if (a->name_len != b->name_len)
        return a->name_len < b->name_len ? -1 : 1;
    return a > b ? -1 : 1;
}

static bool same_name(const struct json_tree_value *a,
                      const struct json_tree_value *b)
{
    return a->name_len == b->name_len &&
           memcmp(a->name, b->name, a->name_len) == 0;
}

/* The members that count, sorted; gives how many. */
static size_t sort(const struct json_tree_value *object,
                   const struct json_tree_value **members)
{
    size_t n = 0, kept = 0;
    for (const struct json_tree_value *v = object->first; v != NULL;
         v = v->next)
        members[n++] = v;
    qsort(members, n, sizeof *members, by_name);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || !same_name(members[i], members[kept - 1]))
            members[kept++] = members[i];
    return kept;
}

static bool merge(const struct json_tree_value **a, size_t na,
                  const struct json_tree_value **b, size_t nb,
                  const struct step *outer, struct difference *d)
{
    size_t i = 0, j = 0;
    while (i < na || j < nb) {
        int order = i == na                 ? 1
                    : j == nb               ? -1
                    : same_name(a[i], b[j]) ? 0
                                            : by_name(&a[i], &b[j]);
        struct step here = {outer, order > 0 ? b[j] : a[i], 0};
        if (order < 0)
            return found(d, JSON_DIFF_EXTRA, &here, a[i], NULL);
        if (order > 0)
            return found(d, JSON_DIFF_MISSING, &here, NULL, b[j]);
        if (!compare(a[i], b[j], &here, d))
            return false;
        i++;
        j++;
    }
    return true;
}

static bool compare_objects(const struct json_tree_value *a,
                            const struct json_tree_value *b,
                            const struct step *at, struct difference *d)
{
    size_t n = (size_t)a->count + b->count;
    const struct json_tree_value **members = malloc((n + 1) * sizeof *members);
    if (members == NULL)
        return found(d, JSON_DIFF_NO_MEMORY, at, a, b);
    const struct json_tree_value **others = members + a->count;
    size_t na = sort(a, members), nb = sort(b, others);
    bool same = merge(members, na, others, nb, at, d);
    free(members);
    return same;
}

static bool compare_arrays(const struct json_tree_value *a,
                           const struct json_tree_value *b,
                           const struct step *at, struct difference *d)
{
    const struct json_tree_value *x = a->first, *y = b->first;
    for (uint32_t i = 0; x != NULL && y != NULL; i++) {
        struct step here = {at, NULL, i};
        if (!compare(x, y, &here, d))
            return false;
        x = x->next;
        y = y->next;
    }
    return a->count == b->count || found(d, JSON_DIFF_LENGTH, at, a, b);
}

/* As deep as a tree can be: JSON_TREE_DEPTH_MAX. */
static bool compare(const struct json_tree_value *a,
                    const struct json_tree_value *b, const struct step *at,
                    struct difference *d)
{
    if (a->type != b->type)
        return found(d, JSON_DIFF_TYPE, at, a, b);
    if (a->type == VALUE_OBJECT)
        return compare_objects(a, b, at, d);
    if (a->type == VALUE_LIST)
        return compare_arrays(a, b, at, d);
    if (a->type == VALUE_NUMBER) {
        enum json_diff kind = json_diff_numbers(a->text, b->text);
        return kind == JSON_DIFF_NOT || found(d, kind, at, a, b);
    }
    if (a->type == VALUE_STRING && (a->text_len != b->text_len ||
                                    memcmp(a->text, b->text, a->text_len) != 0))
        return found(d, JSON_DIFF_TEXT, at, a, b);
    return true;
}

bool json_diff(const struct json_tree_value *a, const struct json_tree_value *b,
               struct difference *d)
{
    *d = (struct difference){.kind = JSON_DIFF_NOT};
    return compare(a, b, NULL, d);
}
