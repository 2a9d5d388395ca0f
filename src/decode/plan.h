/* plan: what is wanted of a document, compiled for decode/window, which looks
 * for names, and for decode/walk, which follows them.
 *
 * A name is looked for by its first byte and length, all names at once,
 * wherever it stands; what is found is compared in whole. With more than
 * PLAN_PROBES_MAX different ones, every string is compared.
 *
 * The tree of a program (query/program) is decode/paths. */
#ifndef TALLYD_DECODE_PLAN_H
#define TALLYD_DECODE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PLAN_PROBES_MAX 8
#define PLAN_NAME_MAX 64

/* A wanted name. */
struct plan_node {
    const char *name;
    size_t length;
    uint8_t last;        /* its last byte */
    bool may_be_escaped; /* by a backslash and one letter */
    bool simple; /* all bytes are ASCII that can be written as itself or as
                    \u00XX, and in no other way */
    uint64_t head, head_mask; /* its first eight bytes as loaded, and a mask of
                                 those it has; no text has this head if the
                                 name cannot stand without escapes */
};

/* Of names with the same first byte and length there is one probe. */
struct plan_probe {
    uint8_t first;
    uint8_t length;
};

struct plan {
    unsigned probes;
    bool every;     /* what ends any string is an event */
    unsigned depth; /* of the deepest brackets that matter, the document's: 1 */
    struct plan_probe probe[PLAN_PROBES_MAX];
    struct plan_node array, field; /* of plan_make() */
};

/* { array: [ { field: number } ] }. The names are borrowed. False: one is
 * empty, longer than PLAN_NAME_MAX or has a quote: no probe finds it. */
bool plan_make(struct plan *plan, const char *array, const char *field);

/* Make the node of that name, which is borrowed. */
void plan_name(struct plan_node *node, const char *name, size_t n);

/* Look for the name of the node, too; it is at most PLAN_NAME_MAX long. */
void plan_look_for(struct plan *plan, const struct plan_node *node);

/* Could the string that ends with the quote at `quote`, of which 6 bytes before
 * it are in memory, be the node's name? Mostly its last byte says no, however
 * it is written. One branch: which of these it is cannot be guessed. */
static inline bool plan_may_end(const struct plan_node *node,
                                const uint8_t *quote)
{
    unsigned other = (unsigned)(quote[-1] ^ node->last);
    unsigned plain = (unsigned)(quote[-6] ^ '\\'); /* 0: \uXXXX, perhaps */
    return node->may_be_escaped || other * plain == 0;
}

/* Is it the node's name, without escapes? There is neither a quote nor a
 * backslash in that, so the quote before it begins it, unless that is escaped.
 * As many bytes before the quote as the name is long, and two, are in memory,
 * and eight from the quote on. */
static inline bool plan_is_plain(const struct plan_node *node,
                                 const uint8_t *quote)
{
    size_t n = node->length;
    const uint8_t *text = quote - n;
    uint64_t head;
    memcpy(&head, text, sizeof head);
    return ((head ^ node->head) & node->head_mask) == 0 && text[-1] == '"' &&
           text[-2] != '\\' &&
           (n <= 8 || memcmp(text + 8, node->name + 8, n - 8) == 0);
}

/* What plan_is_escaped() may read before the quote. */
static inline size_t plan_reach(const struct plan_node *node)
{
    return 6 * node->length + 2;
}

/* Is it the node's name, which is simple, written in any way? plan_reach()
 * bytes before the quote are in memory. */
bool plan_is_escaped(const struct plan_node *node, const uint8_t *quote);

/* The first quote of the string that ends at `quote`, from `start` on and at
 * most `reach` bytes before that; else NULL. */
const uint8_t *plan_find_quote(const uint8_t *start, const uint8_t *quote,
                               size_t reach);

/* Is [at, end), what stands between two quotes, the node's name? Escapes count
 * as what they stand for. */
bool plan_is_text(const struct plan_node *node, const uint8_t *at,
                  const uint8_t *end);

/* The same of the string that ends with the quote at `quote`, of which [start,
 * quote) is in memory. */
bool plan_is_name(const struct plan_node *node, const uint8_t *start,
                  const uint8_t *quote);

#endif
