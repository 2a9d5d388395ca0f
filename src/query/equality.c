/* equality: see equality.h.
 *
 * Each text becomes a row of nodes in the order of the text, a node behind each
 * name and value that knows where its last descendant is. */
#include "query/equality.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "query/text.h"
#include "query/value.h"

struct node {
    uint32_t start, n; /* of a string or name what stands between the quotes */
    uint32_t next;     /* the node behind it and all that is in it */
    enum value_kind kind;
};

struct tree {
    char *text;
    struct node *nodes;
    uint32_t count;
    bool no_memory;
};

static const char *blanks(const char *at)
{
    while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')
        at++;
    return at;
}

/* Behind the string whose characters begin at `at`: its closing quote. */
static const char *closing(const char *at)
{
    for (; *at != '"'; at++)
        at += *at == '\\';
    return at;
}

/* One more node; there is room for it. */
static uint32_t add(struct tree *t, enum value_kind kind, const char *start,
                    const char *end)
{
    t->nodes[t->count] =
        (struct node){(uint32_t)(start - t->text), (uint32_t)(end - start),
                      t->count + 1, kind};
    return t->count++;
}

static const char *value(struct tree *t, const char *at);

static const char *string(struct tree *t, const char *at)
{
    const char *end = closing(at + 1);
    add(t, VALUE_STRING, at + 1, end);
    return end + 1;
}

/* The elements of a list, or the names and values of an object. */
static const char *elements(struct tree *t, const char *at, char close)
{
    bool object = close == '}';
    at = blanks(at + 1);
    while (*at != close) {
        if (object)
            at = blanks(string(t, at)) + 1;
        at = blanks(value(t, blanks(at)));
        if (*at == ',')
            at = blanks(at + 1);
    }
    return at + 1;
}

static const char *value(struct tree *t, const char *at)
{
    enum value_kind kind = value_kind_of(*at);
    if (kind == VALUE_STRING)
        return string(t, at);
    if (kind != VALUE_OBJECT && kind != VALUE_LIST) {
        const char *end = at + strcspn(at, ",]} \t\n\r");
        add(t, kind, at, end);
        return end;
    }
    uint32_t node = add(t, kind, at, at);
    at = elements(t, at, kind == VALUE_OBJECT ? '}' : ']');
    t->nodes[node].next = t->count;
    return at;
}

/* Before each node but the first stands one of these, at least. */
static size_t nodes_of(const char *text)
{
    size_t count = 1;
    for (; *text != '\0'; text++)
        count += *text == ',' || *text == ':' || *text == '[' || *text == '{';
    return count;
}

/* --- Comparison. --- */

struct member {
    const char *name;
    uint32_t n, value; /* the value's node */
};

/* By name; those of one name in the order of the text. */
static int by_name(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    int order = text_compare(x->name, x->n, y->name, y->n);
    return order != 0 ? order : (x->value > y->value) - (x->value < y->value);
}

/* The members of an object, each name once and in order. NULL: there is none,
 * or memory is short. */
static struct member *members_of(struct tree *t, uint32_t object, size_t *count)
{
    size_t all = 0;
    uint32_t end = t->nodes[object].next;
    *count = 0;
    for (uint32_t i = object + 1; i < end; i = t->nodes[i + 1].next)
        all++;
    struct member *m = all == 0 ? NULL : malloc(all * sizeof *m);
    t->no_memory = t->no_memory || (all > 0 && m == NULL);
    if (m == NULL)
        return NULL;
    all = 0;
    for (uint32_t i = object + 1; i < end; i = t->nodes[i + 1].next)
        m[all++] =
            (struct member){t->text + t->nodes[i].start, t->nodes[i].n, i + 1};
    qsort(m, all, sizeof *m, by_name);
    for (size_t i = 0; i < all; i++)
        if (i + 1 == all ||
            text_compare(m[i].name, m[i].n, m[i + 1].name, m[i + 1].n) != 0)
            m[(*count)++] = m[i];
    return m;
}

static bool same(struct tree *a, uint32_t x, struct tree *b, uint32_t y);

static bool same_objects(struct tree *a, uint32_t x, struct tree *b, uint32_t y)
{
    size_t an, bn;
    struct member *am = members_of(a, x, &an), *bm = members_of(b, y, &bn);
    bool equal = an == bn && !a->no_memory && !b->no_memory;
    for (size_t i = 0; equal && i < an; i++)
        equal = text_compare(am[i].name, am[i].n, bm[i].name, bm[i].n) == 0 &&
                same(a, am[i].value, b, bm[i].value);
    free(am);
    free(bm);
    return equal;
}

static bool same_lists(struct tree *a, uint32_t x, struct tree *b, uint32_t y)
{
    uint32_t i = x + 1, j = y + 1;
    while (i < a->nodes[x].next && j < b->nodes[y].next) {
        if (!same(a, i, b, j))
            return false;
        i = a->nodes[i].next;
        j = b->nodes[j].next;
    }
    return i == a->nodes[x].next && j == b->nodes[y].next;
}

static bool same_numbers(struct tree *t, const char *a, size_t an,
                         const char *b, size_t bn)
{
    struct value_number x, y;
    enum value_reading first = value_read_number(a, an, &x);
    enum value_reading second = value_read_number(b, bn, &y);
    t->no_memory =
        t->no_memory || first == VALUE_NO_MEMORY || second == VALUE_NO_MEMORY;
    return first == VALUE_READ && second == VALUE_READ &&
           value_compare_numbers(&x, &y) == 0;
}

static bool same(struct tree *a, uint32_t x, struct tree *b, uint32_t y)
{
    const struct node *m = &a->nodes[x], *n = &b->nodes[y];
    const char *left = a->text + m->start, *right = b->text + n->start;
    if (m->kind != n->kind)
        return false;
    if (m->kind == VALUE_NUMBER)
        return same_numbers(a, left, m->n, right, n->n);
    if (m->kind == VALUE_STRING)
        return text_compare(left, m->n, right, n->n) == 0;
    if (m->kind == VALUE_LIST)
        return same_lists(a, x, b, y);
    return m->kind != VALUE_OBJECT || same_objects(a, x, b, y);
}

/* A terminated copy of the text, and its nodes. */
static void grow(struct tree *t, const char *text, size_t n)
{
    char *copy = malloc(n + 1);
    *t = (struct tree){.text = copy, .no_memory = copy == NULL};
    if (copy == NULL)
        return;
    memcpy(copy, text, n);
    copy[n] = '\0';
    t->nodes = malloc(nodes_of(copy) * sizeof *t->nodes);
    t->no_memory = t->nodes == NULL;
    if (t->nodes != NULL)
        value(t, blanks(copy));
}

static void clear(struct tree *t)
{
    free(t->text);
    free(t->nodes);
}

enum equality equality_of(const char *a, size_t an, const char *b, size_t bn)
{
    struct tree left, right;
    if (an == bn && memcmp(a, b, an) == 0)
        return EQUALITY_SAME;
    grow(&left, a, an);
    grow(&right, b, bn);
    bool no_memory = left.no_memory || right.no_memory;
    bool equal = !no_memory && same(&left, 0, &right, 0);
    no_memory = left.no_memory || right.no_memory;
    clear(&left);
    clear(&right);
    return no_memory ? EQUALITY_NO_MEMORY
                     : (equal ? EQUALITY_SAME : EQUALITY_DIFFERENT);
}
