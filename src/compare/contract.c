/* contract: see contract.h. */
#include "compare/contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/json_diff.h"
#include "compare/json_tree.h"
#include "decode/payload.h"
#include "decode/scan.h"

/* Decode as ours does, but for the kind of numbers: *t of a shape. The result,
 * a number or of a program an object, becomes *result, if that is not NULL.
 * False: `fault`, or there is none. */
static bool decode(const struct parity_case *c, bool doubles, struct tally *t,
                   struct json_tree *result, struct fault *fault)
{
    struct shape shape;
    struct program program; /* what it points to is shared */
    struct payload *p;
    char text[TALLY_TEXT_MAX];
    if (c->program != NULL) {
        program = *c->program;
        program.numbers = doubles ? PROGRAM_DOUBLE : PROGRAM_INT64;
        p = payload_new_program(&program, c->max_depth, PAYLOAD_TYPED);
    } else {
        shape = *c->shape;
        shape.numbers = doubles ? TALLY_DOUBLE : TALLY_INT64;
        p = payload_new(&shape, PAYLOAD_TYPED);
    }
    if (p == NULL) {
        fault_memory(fault);
        return false;
    }
    payload_begin(p);
    bool ok =
        payload_feed(p, (const uint8_t *)c->request, c->request_len, fault) &&
        payload_finish(p, t, fault);
    if (ok && result != NULL) {
        size_t n = 0;
        const char *bytes = payload_text(p, &n);
        if (bytes == NULL)
            n = tally_print(t, text);
        ok = json_tree_read(result, bytes == NULL ? text : bytes, n) ==
             JSON_TREE_READ;
    }
    payload_free(&p);
    return ok;
}

/* --- Rounding. --- */

/* Is `a` a number of one result and `b` that of the other, at the same place? A
 * result is a number, or an object of them. */
static bool are(const struct json_tree *x, const char *a,
                const struct json_tree *y, const char *b)
{
    bool object = x->root->type == VALUE_OBJECT, found = false;
    const struct json_tree_value *v = object ? x->root->first : x->root;
    const struct json_tree_value *w = object ? y->root->first : y->root;
    for (; v != NULL && w != NULL; v = v->next, w = w->next)
        found = found || (v->type == VALUE_NUMBER && w->type == VALUE_NUMBER &&
                          json_diff_numbers(a, v->text) <= JSON_DIFF_FORM &&
                          json_diff_numbers(b, w->text) <= JSON_DIFF_FORM);
    return found;
}

bool contract_is_rounding(const struct parity_case *c, const char *a,
                          const char *b)
{
    struct json_tree exact, rounded;
    struct tally t;
    struct fault fault;
    if (c->request == NULL || (c->shape == NULL && c->program == NULL) ||
        !decode(c, false, &t, &exact, &fault))
        return false;
    bool found = decode(c, true, &t, &rounded, &fault);
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
        v = v->type == VALUE_LIST ? element(v, strtoul(token, NULL, 10))
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
    if (c->program == NULL || !c->program->lines || colon == NULL ||
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
    if (strcmp(s.reason, FAULT_MISSING) == 0 &&
        (c->program != NULL || json_tree_member(t.root, c->shape->array)))
        kind = PARITY_missing_field;
    if (strcmp(s.reason, FAULT_NOT_INT64) == 0 ||
        strcmp(s.reason, FAULT_NOT_NUMBER) == 0)
        kind = v != NULL && v->type == VALUE_NUMBER ? PARITY_not_integer
                                                    : PARITY_coerced;
    json_tree_free(&t);
    return kind;
}

/* Is `wrapped` a member of the object that `text` is? */
static bool shows(const char *text, size_t n, const char *wrapped)
{
    struct json_tree t;
    bool shown = false;
    if (n == 0 || json_tree_read(&t, text, n) != JSON_TREE_READ)
        return false;
    for (const struct json_tree_value *v = t.root->first; v != NULL;
         v = v->next)
        shown =
            shown || (v->type == VALUE_NUMBER &&
                      json_diff_numbers(v->text, wrapped) <= JSON_DIFF_FORM);
    json_tree_free(&t);
    return shown;
}

/* The result modulo 2^64, if theirs shows that. */
static enum parity_kind explain_range(const struct parity_case *c,
                                      const struct tally *t)
{
    char wrapped[TALLY_TEXT_MAX];
    const struct parity_result *r = &c->theirs;
    if (t->numbers != TALLY_INT64)
        return PARITY_out_of_range;
    uint64_t low = (uint64_t)(t->exact * t->multiply);
    snprintf(wrapped, sizeof wrapped, "%lld", (long long)low);
    bool posted = r->posts > 0 && shows(r->posted, r->posted_len, wrapped);
    return posted || shows(r->reply, r->reply_len, wrapped)
               ? PARITY_wrapped
               : PARITY_out_of_range;
}

static bool has_doubles(const struct parity_case *c)
{
    return c->program != NULL ? c->program->numbers == PROGRAM_DOUBLE
                              : c->shape->numbers == TALLY_DOUBLE;
}

static enum parity_kind explain_refusal(const struct parity_case *c)
{
    struct tally t;
    struct fault f;
    char text[TALLY_TEXT_MAX];
    bool decoded = decode(c, has_doubles(c), &t, NULL, &f);
    if (decoded)
        f.what = c->program == NULL && tally_print(&t, text) == 0
                     ? OUTCOME_out_of_range
                     : OUTCOME_ok;
    if (f.what == OUTCOME_internal)
        return PARITY_unjudged;
    if (f.what == OUTCOME_ok || c->ours.status != outcome_status(f.what))
        return PARITY_status;
    if (decoded)
        return explain_range(c, &t);
    if (f.what == OUTCOME_out_of_range)
        return PARITY_out_of_range;
    if (f.what == OUTCOME_wrong_shape)
        return explain_shape(c, &f);
    return strcmp(f.reason, SCAN_TOO_DEEP) == 0      ? PARITY_too_deep
           : strcmp(f.reason, LITERAL_NOT_UTF8) == 0 ? PARITY_invalid_utf8
                                                     : PARITY_invalid_json;
}

/* --- Theirs refuses. --- */

static unsigned count_members(const struct json_tree_value *object,
                              const char *name)
{
    unsigned count = 0;
    if (object->type == VALUE_OBJECT)
        for (const struct json_tree_value *v = object->first; v != NULL;
             v = v->next)
            count += v->name_len == strlen(name) &&
                     memcmp(v->name, name, v->name_len) == 0;
    return count;
}

static bool has_minus_zero(const struct parity_case *c,
                           const struct json_tree_value *items)
{
    for (const struct json_tree_value *v = items->first; v != NULL;
         v = v->next) {
        const struct json_tree_value *value =
            json_tree_member(v, c->shape->field);
        if (value != NULL && value->type == VALUE_NUMBER &&
            strcmp(value->text, "-0") == 0)
            return true;
    }
    return false;
}

/* Ours has taken it, so `items` is an array of objects. */
static enum parity_kind explain_items(const struct parity_case *c,
                                      const struct json_tree *t)
{
    const struct json_tree_value *items =
        json_tree_member(t->root, c->shape->array);
    if (count_members(t->root, c->shape->array) > 1)
        return PARITY_duplicate_member;
    for (const struct json_tree_value *v = items->first; v != NULL; v = v->next)
        if (count_members(v, c->shape->field) > 1)
            return PARITY_duplicate_member;
    if (has_minus_zero(c, items))
        return PARITY_minus_zero;
    return t->surrogate ? PARITY_lone_surrogate : PARITY_status;
}

static enum parity_kind explain_acceptance(const struct parity_case *c)
{
    struct tally tally;
    struct fault f;
    struct json_tree t;
    if (!decode(c, has_doubles(c), &tally, NULL, &f))
        return f.what == OUTCOME_internal ? PARITY_unjudged : PARITY_status;
    enum json_tree_state state = json_tree_read(&t, c->request, c->request_len);
    if (state != JSON_TREE_READ)
        return state == JSON_TREE_NO_MEMORY ? PARITY_unjudged : PARITY_status;
    enum parity_kind kind = explain_items(c, &t);
    json_tree_free(&t);
    return kind;
}

enum parity_kind contract_explain(const struct parity_case *c)
{
    int refused = c->ours.status / 100 == 2 ? c->theirs.status : c->ours.status;
    bool known = c->shape != NULL || c->program != NULL;
    if (refused / 100 != 4 || c->request == NULL || !known)
        return PARITY_status;
    if (refused == outcome_status(OUTCOME_body_too_large))
        return PARITY_too_large;
    if (refused == c->ours.status)
        return explain_refusal(c);
    /* Which members theirs looks at is not known of a program: what it refuses
     * and ours takes has no excuse. */
    return c->program != NULL ? PARITY_status : explain_acceptance(c);
}
