/* plan: see plan.h. */
#include "decode/plan.h"

#include <string.h>

#include "query/text.h"

static void look_for_every(struct plan *plan)
{
    plan->every = true;
    plan->probes = 0;
}

void plan_look_for(struct plan *plan, const struct plan_node *node)
{
    const struct plan_probe wanted = {(uint8_t)node->name[0],
                                      (uint8_t)node->length};
    for (unsigned i = 0; i < plan->probes; i++)
        if (plan->probe[i].first == wanted.first &&
            plan->probe[i].length == wanted.length)
            return;
    if (node->length == 0 || plan->probes == PLAN_PROBES_MAX)
        look_for_every(plan);
    if (!plan->every)
        plan->probe[plan->probes++] = wanted;
}

/* What can be escaped by one letter. */
static bool has_letter(uint8_t c)
{
    return c < ' ' || c == '"' || c == '\\' || c == '/';
}

void plan_name(struct plan_node *node, const char *name, size_t n)
{
    size_t head = n < sizeof node->head ? n : sizeof node->head;
    *node = (struct plan_node){.name = name, .length = n};
    memcpy(&node->head, name, head);
    memset(&node->head_mask, 0xff, head);
    node->simple = true;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = (uint8_t)name[i];
        node->may_be_escaped = has_letter(c);
        node->simple &= c < 0x80 && !has_letter(c);
        node->last = c;
        if (!has_letter(c) || c == '/')
            continue;
        node->head = 0; /* there is no NUL in JSON */
        node->head_mask = UINT64_MAX;
    }
}

static bool add_node(struct plan *plan, const char *name,
                     struct plan_node *node)
{
    size_t n = strlen(name);
    plan_name(node, name, n);
    if (n == 0 || n > PLAN_NAME_MAX || strchr(name, '"') != NULL)
        return false;
    plan_look_for(plan, node);
    return true;
}

bool plan_make(struct plan *plan, const char *array, const char *field)
{
    *plan = (struct plan){.depth = 3};
    bool array_found = add_node(plan, array, &plan->array);
    bool field_found = add_node(plan, field, &plan->field);
    return array_found && field_found;
}

/* --- Names. --- */

bool plan_is_text(const struct plan_node *node, const uint8_t *at,
                  const uint8_t *end)
{
    return text_order((const char *)at, (size_t)(end - at), node->name,
                      node->length) == 0;
}

const uint8_t *plan_find_quote(const uint8_t *start, const uint8_t *quote,
                               size_t reach)
{
    const uint8_t *limit =
        (size_t)(quote - start) > reach ? quote - reach : start;
    for (const uint8_t *p = quote; p-- > limit;) {
        const uint8_t *slash = p;
        while (*p == '"' && slash > start && slash[-1] == '\\')
            slash--;
        if (*p == '"' && (p - slash) % 2 == 0)
            return p;
    }
    return NULL;
}

/* From the last character to the first, each of which is one byte or six, with
 * no branch on which. Where "\u00" stands six bytes before, the escape is the
 * string's, not of one before it, since no string begins behind a digit; and
 * where that is no escape, but behind another backslash, the text is not the
 * name, which has none. */
bool plan_is_escaped(const struct plan_node *node, const uint8_t *quote)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *at = quote;
    for (size_t i = node->length; i-- > 0;) {
        unsigned c = (uint8_t)node->name[i];
        unsigned escaped = memcmp(at - 6, "\\u00", 4) == 0;
        unsigned high = at[-2] == '0' + (c >> 4);
        unsigned low = (at[-1] | 0x20) == digits[c & 15];
        unsigned plain = at[-1] == c;
        if (((escaped & high & low) | (plain & ~escaped)) == 0)
            return false;
        at -= 1 + 5 * (size_t)escaped;
    }
    return at[-1] == '"' && at[-2] != '\\';
}

bool plan_is_name(const struct plan_node *node, const uint8_t *start,
                  const uint8_t *quote)
{
    const uint8_t *first = plan_find_quote(start, quote, 6 * node->length + 1);
    return first != NULL && plan_is_text(node, first + 1, quote);
}
