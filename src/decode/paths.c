/* paths: see paths.h. */
#include "decode/paths.h"

#include <stdlib.h>
#include <string.h>

/* What leads on from a node: the paths of those slots, of which so many names
 * are behind it, and `array`, if so many of its steps are. */
struct lead {
    uint32_t slots;
    uint8_t names;
    int8_t step; /* -1: `array` does not lead here */
    uint8_t depth;
};

struct builder {
    struct paths *paths;
    const struct program *program;
    struct lead *leads; /* of each node */
};

static unsigned add_node(struct builder *b, struct lead lead, uint8_t marks,
                         uint8_t list)
{
    struct paths *paths = b->paths;
    unsigned i = paths->count++;
    b->leads[i] = lead;
    paths->node[i].slot = -1;
    paths->node[i].marks = marks;
    paths->node[i].list = list;
    return i;
}

static uint32_t slots_of(const struct program *p, bool document)
{
    uint32_t slots = 0;
    for (size_t i = 0; i < p->slot_count; i++)
        slots |= (uint32_t)(p->slots[i].document == document) << i;
    return slots;
}

static void need_depth(struct builder *b, unsigned depth)
{
    if (b->paths->plan.depth < depth)
        b->paths->plan.depth = depth;
}

/* --- One node. --- */

/* The slot whose path ends at the node, out of those that lead to it. */
static void end_path(struct builder *b, unsigned i)
{
    struct lead *lead = &b->leads[i];
    struct paths_node *node = &b->paths->node[i];
    for (size_t slot = 0; slot < b->program->slot_count; slot++) {
        const struct program_slot *s = &b->program->slots[slot];
        if ((lead->slots >> slot & 1) == 0 || s->count != lead->names)
            continue;
        node->slot = (int8_t)slot;
        node->kept = (s->uses & PROGRAM_KEEP) != 0;
        lead->slots &= ~(UINT32_C(1) << slot);
        if (node->kept)
            need_depth(b, lead->depth);
    }
    node->below = SLOTS_BOTH(lead->slots);
}

/* The node should be a list. */
static void add_element(struct builder *b, unsigned i)
{
    const struct program *p = b->program;
    struct lead lead = b->leads[i];
    uint8_t list = b->paths->node[i].list;
    bool last = lead.step == (int8_t)p->step_count;
    struct lead below = {.depth = (uint8_t)(lead.depth + 1), .step = -1};
    if (last)
        below.slots = slots_of(p, false);
    else
        below.step = (int8_t)(lead.step + 1);
    unsigned element =
        add_node(b, below, PATHS_ELEMENT | (last ? PATHS_ITEM : PATHS_PART),
                 (uint8_t)(list + !last));
    b->paths->node[element].within = list;
    b->paths->node[i].inside[0].element = (uint16_t)element;
    b->paths->node[i].marks |= PATHS_LIST;
    b->paths->steps[list] = (uint8_t)lead.step;
    need_depth(b, below.depth);
}

static bool is_name(const struct paths_node *node,
                    const struct program_name *name)
{
    return node->length == name->n &&
           memcmp(node->name, name->bytes, name->n) == 0;
}

/* Nothing ends like that: there is no NUL in a string. */
static void set_no_tail(struct paths_node *node)
{
    node->tail = 0;
    node->tail_mask = UINT64_MAX;
}

/* The name, and its end as windows have it. One with a quote or a backslash is
 * always written with escapes: no bytes of a string are those. */
static void set_name(struct paths_node *node, const struct program_name *name)
{
    node->name = name->bytes;
    node->length = (uint16_t)name->n; /* of a line of settings */
    uint8_t tail[8] = {0}, mask[8] = {0};
    size_t n = name->n < sizeof tail ? name->n : sizeof tail;
    memcpy(tail + sizeof tail - n, name->bytes + name->n - n, n);
    memset(mask + sizeof mask - n, 0xff, n);
    if (n < sizeof tail) {
        tail[sizeof tail - n - 1] = '"';
        mask[sizeof mask - n - 1] = 0xff;
    }
    memcpy(&node->tail, tail, sizeof tail);
    memcpy(&node->tail_mask, mask, sizeof mask);
    if (memchr(name->bytes, '"', name->n) != NULL ||
        memchr(name->bytes, '\\', name->n) != NULL)
        set_no_tail(node);
}

/* The member of node i that has the name, made if it is new. */
static unsigned member(struct builder *b, unsigned i,
                       const struct program_name *name)
{
    struct paths_node *node = &b->paths->node[i];
    for (unsigned k = 0; k < node->children; k++)
        if (is_name(&b->paths->node[node->child + k], name))
            return node->child + k;
    const struct lead lead = {.names = (uint8_t)(b->leads[i].names + 1),
                              .step = -1,
                              .depth = (uint8_t)(b->leads[i].depth + 1)};
    unsigned made = add_node(b, lead, 0, 0);
    if (node->children++ == 0)
        node->child = (uint16_t)made;
    struct plan_node wanted;
    plan_name(&wanted, name->bytes, name->n);
    set_name(&b->paths->node[made], name);
    if (name->n > PLAN_NAME_MAX)
        b->paths->windows = false;
    else
        plan_look_for(&b->paths->plan, &wanted);
    if (b->paths->longest < name->n)
        b->paths->longest = (uint32_t)name->n;
    need_depth(b, b->leads[i].depth);
    return made;
}

static void add_members(struct builder *b, unsigned i)
{
    const struct program *p = b->program;
    const struct lead lead = b->leads[i];
    for (size_t slot = 0; slot < p->slot_count; slot++)
        if ((lead.slots >> slot & 1) != 0)
            b->leads[member(b, i, &p->slots[slot].names[lead.names])].slots |=
                UINT32_C(1) << slot;
    if (lead.step < 0 || lead.step == (int8_t)p->step_count ||
        p->steps[lead.step].each)
        return;
    unsigned way = member(b, i, &p->steps[lead.step].name);
    b->leads[way].step = (int8_t)(lead.step + 1);
    b->paths->node[way].marks |= PATHS_WAY;
    b->paths->node[way].list = b->paths->node[i].list;
}

/* How a value of the node is taken, and what is within its brackets. */
static void end_node(struct builder *b, unsigned i)
{
    struct paths_node *node = &b->paths->node[i];
    uint16_t self = (uint16_t)i;
    if (node->slot >= 0 && node->marks == 0 && node->below == 0)
        node->takes = (b->program->slots[node->slot].uses & PROGRAM_COPY) != 0
                          ? PATHS_TEXT
                          : PATHS_SCALAR;
    if (node->kept || (node->marks & (PATHS_ITEM | PATHS_PART)) != 0)
        node->inside[0].ends = node->inside[1].ends = self;
    node->inside[1].last = (uint16_t)(b->paths->count + i);
    node->inside[1].object = node->children > 0 ? self : PATHS_NOTHING;
}

static void build(struct builder *b)
{
    const struct program *p = b->program;
    const struct lead nothing = {.step = -1};
    /* Of a body of lines a document is an item. */
    const struct lead document = {
        .slots = slots_of(p, !p->lines), .step = p->lines ? -1 : 0, .depth = 1};
    b->paths->windows = true;
    add_node(b, nothing, 0, 0);
    set_no_tail(&b->paths->node[PATHS_NOTHING]);
    add_node(b, document, p->lines ? PATHS_ELEMENT | PATHS_ITEM : PATHS_PART,
             0);
    need_depth(b, document.depth); /* its brackets begin and end an item */
    for (unsigned i = PATHS_DOCUMENT; i < b->paths->count; i++) {
        int step = b->leads[i].step;
        end_path(b, i);
        add_members(b, i);
        if (step >= 0 && (step == (int)p->step_count || p->steps[step].each))
            add_element(b, i);
    }
    for (unsigned i = 0; i < b->paths->count; i++)
        end_node(b, i);
}

struct paths *paths_new(const struct program *p)
{
    size_t most = 3 + p->step_count;
    for (size_t i = 0; i < p->slot_count; i++)
        most += p->slots[i].count;
    struct paths *paths =
        calloc(1, sizeof *paths + most * sizeof paths->node[0]);
    struct lead *leads = calloc(most, sizeof *leads);
    struct builder b = {paths, p, leads};
    if (paths != NULL && leads != NULL) {
        paths->program = p;
        build(&b);
    } else {
        free(paths);
        paths = NULL;
    }
    free(leads);
    return paths;
}
