/* program: see program.h. */
#include "query/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

struct program_text {
    struct program_text *next;
    char bytes[];
};

void program_free(struct program *p)
{
    while (p->texts != NULL) {
        struct program_text *next = p->texts->next;
        free(p->texts);
        p->texts = next;
    }
    free(p->ops);
    free(p->literals);
    free(p->matches);
    *p = (struct program){.op_count = 0};
}

char *program_keep(struct program *p, const char *bytes, size_t n)
{
    struct program_text *t = malloc(sizeof *t + n + 1);
    if (t == NULL)
        return NULL;
    t->next = p->texts;
    p->texts = t;
    if (n > 0)
        memcpy(t->bytes, bytes, n);
    t->bytes[n] = '\0';
    return t->bytes;
}

/* One character, `n` bytes of valid UTF-8. */
static void quote(struct buf *out, const char *at, size_t n)
{
    if (*at == '"' || *at == '\\')
        buf_char(out, '\\');
    if ((unsigned char)*at < 0x20)
        buf_printf(out, "\\u%04x", (unsigned)*at);
    else
        buf_add(out, at, n);
}

void program_print_text(struct buf *out, const char *bytes, size_t n)
{
    const char *end = bytes + n;
    buf_char(out, '"');
    while (bytes < end) {
        size_t length =
            *bytes == '\0' ? 1 : utf8_length((const unsigned char *)bytes);
        if (length == 0)
            buf_str(out, "\xef\xbf\xbd"); /* U+FFFD */
        else
            quote(out, bytes, length);
        bytes += length == 0 ? 1 : length;
    }
    buf_char(out, '"');
}

bool program_quote(struct program *p, const char *text,
                   struct program_name *quoted)
{
    size_t n = strlen(text), room = 6 * n + 3;
    char *bytes = malloc(room);
    if (bytes == NULL)
        return false;
    struct buf out;
    buf_init(&out, bytes, room);
    program_print_text(&out, text, n);
    *quoted = (struct program_name){program_keep(p, bytes, out.len), out.len};
    free(bytes);
    return quoted->bytes != NULL;
}

static bool is_same(const struct program_slot *a, const struct program_slot *b)
{
    bool same = a->document == b->document && a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = a->names[i].n == b->names[i].n &&
               memcmp(a->names[i].bytes, b->names[i].bytes, a->names[i].n) == 0;
    return same;
}

static void add_use(struct program *p, size_t slot, uint8_t uses)
{
    uint8_t before = p->slots[slot].uses;
    p->slots[slot].uses |= uses;
    if ((uses & PROGRAM_NUMBER) != 0 && (before & PROGRAM_NUMBER) == 0)
        p->reads[p->read_count++] = (uint8_t)slot;
}

int program_slot(struct program *p, const struct program_slot *path)
{
    size_t i = 0;
    while (i < p->slot_count && !is_same(&p->slots[i], path))
        i++;
    if (i == PROGRAM_SLOTS_MAX)
        return -1;
    if (i == p->slot_count) {
        p->slots[p->slot_count++] = *path;
        p->slots[i].uses = 0;
    }
    add_use(p, i, path->uses);
    return (int)i;
}

/* Make room for one more behind `count` in the list that `list` points to; a
 * power of two at a time. */
static bool grow(void *list, size_t count, size_t size)
{
    void *at, *more;
    if ((count & (count - 1)) != 0)
        return true;
    memcpy(&at, list, sizeof at);
    more = realloc(at, (count == 0 ? 1 : 2 * count) * size);
    if (more != NULL)
        memcpy(list, &more, sizeof more);
    return more != NULL;
}

int program_op(struct program *p, struct program_op op)
{
    if (!grow(&p->ops, p->op_count, sizeof op))
        return -1;
    p->ops[p->op_count] = op;
    return (int)p->op_count++;
}

int program_literal(struct program *p, const struct value *literal)
{
    if (!grow(&p->literals, p->literal_count, sizeof *literal))
        return -1;
    p->literals[p->literal_count] = *literal;
    return (int)p->literal_count++;
}

int program_match(struct program *p, uint8_t slot, uint16_t literal)
{
    if (!grow(&p->matches, p->match_count, sizeof p->matches[0]))
        return -1;
    p->matches[p->match_count] = (struct program_match){slot, literal};
    return (int)p->match_count++;
}
