/* contract_query: see contract_query.h. */
#include "compare/contract_query.h"

#include <stdlib.h>
#include <string.h>

#include "compare/json_diff.h"
#include "compare/json_tree.h"
#include "decode/payload.h"
#include "decode/scan.h"
#include "query/evaluation.h"

/* Evaluate the request as ours does, but for the kind of numbers. The result is
 * appended to `out`. False: `fault`. */
static bool decode(const struct parity_case *c, enum program_numbers numbers,
                   struct buf *out, struct fault *fault)
{
    struct program program = *c->program; /* the rest is shared */
    struct tally ignored;
    size_t n;
    program.numbers = numbers;
    struct payload *p =
        payload_new_program(&program, c->max_depth, PAYLOAD_TYPED);
    if (p == NULL) {
        fault_memory(fault);
        return false;
    }
    payload_begin(p);
    bool ok =
        payload_feed(p, (const uint8_t *)c->request, c->request_len, fault) &&
        payload_finish(p, &ignored, fault);
    if (ok) {
        const char *text = payload_text(p, &n);
        buf_add(out, text, n);
    }
    payload_free(&p);
    return ok;
}

/* --- Rounding. --- */

static bool read_result(const struct parity_case *c,
                        enum program_numbers numbers, struct json_tree *t)
{
    size_t room = evaluation_room(c->program);
    char *bytes = malloc(room);
    struct buf out;
    struct fault fault;
    buf_init(&out, bytes, bytes == NULL ? 0 : room);
    bool ok = bytes != NULL && decode(c, numbers, &out, &fault) &&
              json_tree_read(t, out.data, out.len) == JSON_TREE_READ;
    free(bytes);
    return ok;
}

/* Is `a` the number of one result and `b` that of the other, at the same place?
 */
static bool are(const struct json_tree *x, const char *a,
                const struct json_tree *y, const char *b)
{
    const struct json_tree_value *v = x->root->first, *w = y->root->first;
    bool found = false;
    for (; v != NULL && w != NULL; v = v->next, w = w->next)
        found = found ||
                (v->type == JSON_TREE_NUMBER && w->type == JSON_TREE_NUMBER &&
                 json_diff_numbers(a, v->text) <= JSON_DIFF_FORM &&
                 json_diff_numbers(b, w->text) <= JSON_DIFF_FORM);
    return found;
}

bool contract_query_is_rounding(const struct parity_case *c, const char *a,
                                const char *b)
{
    struct json_tree exact, rounded;
    if (!read_result(c, PROGRAM_INT64, &exact))
        return false;
    bool found = read_result(c, PROGRAM_DOUBLE, &rounded);
    if (found) {
        found = are(&exact, a, &rounded, b) || are(&exact, b, &rounded, a);
        json_tree_free(&rounded);
    }
    json_tree_free(&exact);
    return found;
}

/* --- Ours refuses. --- */

static const struct json_tree_value *element(const struct json_tree_value *list,
                                             unsigned long index)
{
    const struct json_tree_value *v = list->first;
    while (v != NULL && index-- > 0)
        v = v->next;
    return v;
}

/* The value at a JSON pointer, which names no member with a NUL. NULL: none. */
static const struct json_tree_value *value_at(const struct json_tree_value *v,
                                              const char *pointer)
{
    while (v != NULL && *pointer == '/') {
        char token[sizeof((struct fault *)NULL)->pointer];
        size_t n = 0;
        for (pointer++; *pointer != '\0' && *pointer != '/'; pointer++) {
            bool escape = *pointer == '~';
            pointer += escape;
            token[n++] = escape ? (*pointer == '1' ? '/' : '~') : *pointer;
        }
        token[n] = '\0';
        v = v->type == JSON_TREE_ARRAY ? element(v, strtoul(token, NULL, 10))
                                       : json_tree_member(v, token);
    }
    return v;
}

/* What a fault is about: the document it is in, its place there, and why. */
struct subject {
    const char *text;
    size_t n;
    const char *pointer, *reason;
};

/* Of lines: the reason begins with the line's number, the pointer with its
 * index. */
static struct subject subject_of(const struct parity_case *c,
                                 const struct fault *f)
{
    static const char prefix[] = "line ";
    struct subject s = {c->request, c->request_len, f->pointer, f->reason};
    const char *colon = strstr(f->reason, ": ");
    if (!c->program->lines || colon == NULL ||
        strncmp(f->reason, prefix, sizeof prefix - 1) != 0)
        return s;
    unsigned long line = strtoul(f->reason + sizeof prefix - 1, NULL, 10);
    const char *end = s.text + s.n, *feed;
    for (; line > 1 && (feed = memchr(s.text, '\n', (size_t)(end - s.text)));
         line--)
        s.text = feed + 1;
    feed = memchr(s.text, '\n', (size_t)(end - s.text));
    s.n = (size_t)((feed == NULL ? end : feed) - s.text);
    s.pointer += strcspn(s.pointer + 1, "/") + 1;
    s.reason = colon + 2;
    return s;
}

static enum parity_kind explain_shape(const struct parity_case *c,
                                      const struct fault *f)
{
    struct json_tree t;
    enum parity_kind kind = PARITY_wrong_shape;
    const struct subject s = subject_of(c, f);
    enum json_tree_state state = json_tree_read(&t, s.text, s.n);
    if (state != JSON_TREE_READ)
        return state == JSON_TREE_NO_MEMORY ? PARITY_unjudged : PARITY_status;
    const struct json_tree_value *v = value_at(t.root, s.pointer);
    if (strcmp(s.reason, FAULT_MISSING) == 0)
        kind = PARITY_missing_field;
    if (strcmp(s.reason, FAULT_NOT_INT64) == 0 ||
        strcmp(s.reason, FAULT_NOT_NUMBER) == 0)
        kind = v != NULL && v->type == JSON_TREE_NUMBER ? PARITY_not_integer
                                                        : PARITY_coerced;
    json_tree_free(&t);
    return kind;
}

static enum parity_kind explain_refusal(const struct parity_case *c,
                                        const struct fault *f)
{
    if (f->what == OUTCOME_internal)
        return PARITY_unjudged;
    if (f->what == OUTCOME_ok || c->ours.status != outcome_status(f->what))
        return PARITY_status;
    if (f->what == OUTCOME_out_of_range)
        return PARITY_out_of_range;
    if (f->what == OUTCOME_wrong_shape)
        return explain_shape(c, f);
    return strcmp(f->reason, SCAN_TOO_DEEP) == 0      ? PARITY_too_deep
           : strcmp(f->reason, LITERAL_NOT_UTF8) == 0 ? PARITY_invalid_utf8
                                                      : PARITY_invalid_json;
}

enum parity_kind contract_query_explain(const struct parity_case *c,
                                        bool ours_refuses)
{
    size_t room = evaluation_room(c->program);
    char *bytes = malloc(room);
    struct fault f = {.what = OUTCOME_ok};
    struct buf out;
    if (bytes == NULL)
        return PARITY_unjudged;
    buf_init(&out, bytes, room);
    if (decode(c, c->program->numbers, &out, &f))
        f.what = OUTCOME_ok;
    free(bytes);
    /* What theirs refuses and ours takes has no excuse: which members theirs
     * looks at is not known. */
    return ours_refuses ? explain_refusal(c, &f) : PARITY_status;
}
