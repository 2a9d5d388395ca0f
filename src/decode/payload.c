/* payload: see payload.h. */
#include "decode/payload.h"

#include <stdlib.h>
#include <string.h>

#include "base/outcome.h"
#include "decode/interpret.h"
#include "decode/typed.h"

/* One of the two. */
struct payload {
    struct typed *typed;
    struct interpret *interpret;
};

/* NULL: both are, or memory is short. */
static struct payload *make(struct typed *typed, struct interpret *interpret)
{
    struct payload *p = calloc(1, sizeof *p);
    if (p != NULL && (typed != NULL || interpret != NULL)) {
        *p = (struct payload){typed, interpret};
        return p;
    }
    free(p);
    typed_free(&typed);
    interpret_free(&interpret);
    return NULL;
}

struct payload *payload_new(const struct shape *shape,
                            enum payload_decoder decoder)
{
    return decoder == PAYLOAD_TYPED ? make(typed_new(shape), NULL)
                                    : make(NULL, interpret_new_shape(shape));
}

struct payload *payload_new_program(const struct program *program,
                                    uint32_t max_depth,
                                    enum payload_decoder decoder)
{
    return decoder == PAYLOAD_TYPED
               ? make(typed_new_program(program, max_depth), NULL)
               : make(NULL, interpret_new(program, max_depth));
}

void payload_free(struct payload **p)
{
    if (*p == NULL)
        return;
    typed_free(&(*p)->typed);
    interpret_free(&(*p)->interpret);
    free(*p);
    *p = NULL;
}

void payload_choose_path(struct payload *p, size_t index)
{
    if (p->typed != NULL)
        typed_choose_path(p->typed, index);
}

void payload_begin(struct payload *p)
{
    if (p->typed != NULL)
        typed_begin(p->typed);
    else
        interpret_begin(p->interpret);
}

bool payload_feed(struct payload *p, const uint8_t *bytes, size_t n,
                  struct fault *fault)
{
    return p->typed != NULL ? typed_feed(p->typed, bytes, n, fault)
                            : interpret_feed(p->interpret, bytes, n, fault);
}

bool payload_finish(struct payload *p, struct tally *t, struct fault *fault)
{
    return p->typed != NULL ? typed_finish(p->typed, t, fault)
                            : interpret_finish(p->interpret, t, fault);
}

const char *payload_text(const struct payload *p, size_t *n)
{
    return p->typed != NULL ? typed_text(p->typed, n)
                            : interpret_text(p->interpret, n);
}

/* --- Comparison. --- */

static bool same_fault(const struct fault *a, const struct fault *b,
                       struct buf *difference)
{
    if (a->what != b->what)
        buf_printf(difference, "%s, not %s", outcome_name(a->what),
                   outcome_name(b->what));
    else if (strcmp(a->reason, b->reason) != 0)
        buf_printf(difference, "\"%s\", not \"%s\"", a->reason, b->reason);
    else if (strcmp(a->pointer, b->pointer) != 0)
        buf_printf(difference, "at %s, not %s", a->pointer, b->pointer);
    else if (a->offset != b->offset)
        buf_printf(difference, "at byte %llu, not %llu",
                   (unsigned long long)a->offset,
                   (unsigned long long)b->offset);
    return difference->len == 0;
}

/* Two results of a program. */
static bool same_texts(const struct payload_result *a,
                       const struct payload_result *b, struct buf *difference)
{
    if (a->text_len != b->text_len ||
        memcmp(a->text, b->text, a->text_len) != 0)
        buf_str(difference, "another result");
    return difference->len == 0;
}

bool payload_same(const struct payload_result *a,
                  const struct payload_result *b, struct buf *difference)
{
    char texts[2][TALLY_TEXT_MAX] = {"no result", "no result"};
    if (a->ok != b->ok) {
        buf_printf(difference, "%s, not %s",
                   a->ok ? "a sum" : outcome_name(a->fault.what),
                   b->ok ? "a sum" : outcome_name(b->fault.what));
        return false;
    }
    if (!a->ok)
        return same_fault(&a->fault, &b->fault, difference);
    if (a->text != NULL)
        return same_texts(a, b, difference);
    if (tally_same(&a->tally, &b->tally))
        return true;
    size_t na = tally_print(&a->tally, texts[0]);
    size_t nb = tally_print(&b->tally, texts[1]);
    if (na != nb || memcmp(texts[0], texts[1], na) != 0)
        buf_printf(difference, "sum %.*s, not %.*s", (int)na, texts[0], (int)nb,
                   texts[1]);
    else if (a->tally.count != b->tally.count)
        buf_printf(difference, "%llu items, not %llu",
                   (unsigned long long)a->tally.count,
                   (unsigned long long)b->tally.count);
    return difference->len == 0;
}
