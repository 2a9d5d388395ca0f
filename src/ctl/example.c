/* example: see example.h.
 *
 * The values of an item are drawn from a few candidates for each path, until
 * the program counts the item. */
#include "ctl/example.h"

#include <stdio.h>
#include <string.h>

#include "decode/interpret.h"
#include "decode/scan.h"
#include "query/describe.h"

#define TRIES 2000
#define CANDIDATES_MAX 24
#define TEXT_MAX 300
#define ITEM_MAX 8192
#define ITEMS 2

/* What a path can have; an empty text: it is not there. */
struct candidates {
    char texts[CANDIDATES_MAX][TEXT_MAX];
    size_t count;
};

/* A value at the end of some steps. */
struct entry {
    struct program_step steps[PROGRAM_STEPS_MAX];
    size_t count;
    const char *text;
};

/* --- A document of entries. --- */

static bool is_same_step(const struct program_step *a,
                         const struct program_step *b)
{
    return a->each == b->each &&
           (a->each || (a->name.n == b->name.n &&
                        memcmp(a->name.bytes, b->name.bytes, a->name.n) == 0));
}

/* Do two entries go the same way up to and with the step? */
static bool go_along(const struct entry *a, const struct entry *b, size_t step)
{
    if (a->count <= step || b->count <= step)
        return false;
    for (size_t i = 0; i <= step; i++)
        if (!is_same_step(&a->steps[i], &b->steps[i]))
            return false;
    return true;
}

static bool is_first_of_way(const struct entry *entries, size_t index,
                            size_t step)
{
    for (size_t i = 0; i < index; i++)
        if (go_along(&entries[i], &entries[index], step))
            return false;
    return true;
}

/* What entry `way` and those along it have behind their first `step` steps. */
static void put_value(const struct entry *entries, size_t count, size_t way,
                      size_t step, struct buf *out)
{
    const struct entry *leaf = NULL, *deeper = NULL;
    bool first = true;
    for (size_t i = 0; i < count; i++) {
        if (step > 0 && !go_along(&entries[i], &entries[way], step - 1))
            continue;
        if (entries[i].count == step)
            leaf = &entries[i];
        else
            deeper = &entries[i];
    }
    if (deeper == NULL) {
        buf_str(out, leaf == NULL ? "{}" : leaf->text);
        return;
    }
    bool list = deeper->steps[step].each;
    buf_char(out, list ? '[' : '{');
    for (size_t i = 0; i < count; i++) {
        const struct entry *e = &entries[i];
        if (e->count <= step || e->steps[step].each != list ||
            (step > 0 && !go_along(e, &entries[way], step - 1)) ||
            !is_first_of_way(entries, i, step))
            continue;
        buf_str(out, first ? "" : ",");
        first = false;
        if (!list) {
            program_print_text(out, e->steps[step].name.bytes,
                               e->steps[step].name.n);
            buf_char(out, ':');
        }
        put_value(entries, count, i, step + 1, out);
    }
    buf_char(out, list ? ']' : '}');
}

/* --- Candidates. --- */

static void add(struct candidates *c, const char *text)
{
    if (c->count < CANDIDATES_MAX && strlen(text) < TEXT_MAX)
        strcpy(c->texts[c->count++], text);
}

/* A literal, and what is beside it. */
static void add_literal(struct candidates *c, const struct value *v)
{
    char text[TEXT_MAX];
    struct buf out;
    buf_init(&out, text, sizeof text);
    describe_literal(v, &out);
    if (out.overflow)
        return;
    add(c, text);
    if (v->kind == VALUE_STRING)
        add(c, "\"\"");
    if (v->kind == VALUE_STRING && out.len + 1 < sizeof text) {
        memcpy(text + out.len - 1, "x\"", 3);
        add(c, text);
    }
    for (int i = -1; v->kind == VALUE_NUMBER && i <= 1; i += 2) {
        snprintf(text, sizeof text, "%.0f", v->number.approx + i);
        add(c, text);
    }
}

static void find_candidates(const struct program *p, size_t slot,
                            struct candidates *c)
{
    static const char *const numbers[] = {"3", "20", "7"};
    bool number = (p->slots[slot].uses & PROGRAM_NUMBER) != 0;
    c->count = 0;
    for (uint32_t i = p->where.from; i < p->where.to; i++)
        if (p->ops[i].code == PROGRAM_LITERAL && p->ops[i].slot == slot)
            add_literal(c, &p->literals[p->ops[i].other]);
    if (c->count == 0 || number)
        for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
            add(c, numbers[i]);
    if (!number)
        add(c, "\"text\"");
    add(c, "");
}

/* --- Items. --- */

static uint32_t draw(uint32_t *state, size_t below)
{
    *state = *state * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)*state * below >> 32);
}

static void make_item(const struct program *p, const struct candidates *all,
                      unsigned number, uint32_t *state, struct buf *out)
{
    struct entry entries[PROGRAM_SLOTS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < p->slot_count; i++) {
        const struct program_slot *s = &p->slots[i];
        size_t which = number == 0 ? 0 : draw(state, all[i].count);
        if (s->document || all[i].texts[which][0] == '\0')
            continue;
        struct entry *e = &entries[count++];
        e->count = s->count;
        e->text = all[i].texts[which];
        for (size_t k = 0; k < s->count; k++)
            e->steps[k] = (struct program_step){.name = s->names[k]};
    }
    put_value(entries, count, 0, 0, out);
}

static void note_fate(void *context, const struct evaluation *e)
{
    *(enum evaluation_fate *)context = evaluation_fate(e);
}

/* Does the program, of which a line is an item, count this one? */
static bool is_counted(struct interpret *i, const char *item)
{
    enum evaluation_fate fate = EVALUATION_REFUSED;
    struct fault fault;
    interpret_tell(i, note_fate, &fate);
    interpret_begin(i);
    if (interpret_feed(i, (const uint8_t *)item, strlen(item), &fault))
        interpret_finish(i, NULL, &fault);
    return fate == EVALUATION_COUNTED;
}

static bool find_items(const struct program *p, struct interpret *interpret,
                       char items[ITEMS][ITEM_MAX])
{
    static struct candidates all[PROGRAM_SLOTS_MAX];
    uint32_t state = 1;
    size_t found = 0;
    for (size_t i = 0; i < p->slot_count; i++)
        find_candidates(p, i, &all[i]);
    for (unsigned try = 0; try < TRIES && found < ITEMS; try++) {
        struct buf out;
        buf_init(&out, items[found], ITEM_MAX);
        make_item(p, all, try, &state, &out);
        found += !out.overflow && is_counted(interpret, items[found]);
    }
    return found == ITEMS;
}

/* The list and what is copied. */
static void put_document(const struct program *p, const char *list,
                         struct buf *out)
{
    struct entry entries[PROGRAM_COPIES_MAX + 1];
    size_t count = 1;
    memcpy(entries[0].steps, p->steps, sizeof p->steps);
    entries[0].count = p->step_count;
    entries[0].text = list;
    for (size_t i = 0; i < p->copy_count; i++) {
        const struct program_slot *s = &p->slots[p->copies[i].slot];
        struct entry *e = &entries[count++];
        e->count = s->count;
        e->text = "\"A-17\"";
        for (size_t k = 0; k < s->count; k++)
            e->steps[k] = (struct program_step){.name = s->names[k]};
    }
    put_value(entries, count, 0, 0, out);
}

bool example_make(const struct program *p, struct buf *out)
{
    static char items[ITEMS][ITEM_MAX], room[ITEMS * ITEM_MAX + 16];
    struct program alone = *p;
    alone.lines = true;
    alone.copy_count = 0;
    struct interpret *interpret = interpret_new(&alone, SCAN_DEPTH_MAX);
    struct buf list;
    bool good = interpret != NULL && find_items(p, interpret, items);
    buf_init(&list, room, sizeof room);
    if (p->lines)
        buf_printf(out, "%s\n%s", items[0], good ? items[1] : "");
    buf_printf(&list, "[%s%s%s]", items[0], good ? "," : "",
               good ? items[1] : "");
    if (!p->lines)
        put_document(p, list.data, out);
    interpret_free(&interpret);
    return good;
}
