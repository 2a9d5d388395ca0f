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

static uint32_t hex_value(const uint8_t *digits)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        uint8_t c = digits[i];
        value = value * 16 + (c <= '9' ? c - 48U : (c | 32U) - 87U);
    }
    return value;
}

/* The character that a valid escape at *at stands for; moves behind it. Half a
 * pair of surrogates stands for U+FFFD, as json-c has it. */
static uint32_t read_escape(const uint8_t **at, const uint8_t *end)
{
    static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    const uint8_t *p = *at + 1;
    if (*p != 'u') {
        *at = p + 1;
        return (uint8_t)bytes[strchr(letters, *p) - letters];
    }
    uint32_t c = hex_value(p + 1);
    *at = p + 5;
    if (c < 0xd800 || c > 0xdfff)
        return c;
    if (c > 0xdbff || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
        return 0xfffd;
    uint32_t low = hex_value(*at + 2);
    if (low < 0xdc00 || low > 0xdfff)
        return 0xfffd;
    *at += 6;
    return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}

bool plan_is_text(const struct plan_node *node, const uint8_t *at,
                  const uint8_t *end)
{
    const uint8_t *name = (const uint8_t *)node->name;
    const uint8_t *name_end = name + node->length;
    while (at < end) {
        uint8_t room[4] = {*at};
        unsigned n = 1;
        if (*at == '\\')
            n = text_encode(read_escape(&at, end), room);
        else
            at++;
        if ((size_t)(name_end - name) < n || memcmp(name, room, n) != 0)
            return false;
        name += n;
    }
    return name == name_end;
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
