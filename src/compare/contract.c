/* contract: see contract.h. */
#include "compare/contract.h"

#include <stdio.h>
#include <string.h>

#include "compare/contract_query.h"
#include "compare/json_diff.h"
#include "decode/payload.h"
#include "decode/scan.h"

/* Decode as ours does, but for the kind of numbers. False: `fault`. */
static bool decode(const struct parity_case *c, enum tally_numbers numbers,
                   struct tally *t, struct fault *fault)
{
    struct shape shape = *c->shape;
    shape.numbers = numbers;
    struct payload *p = payload_new(&shape, PAYLOAD_TYPED);
    if (p == NULL) {
        fault_memory(fault);
        return false;
    }
    payload_begin(p);
    bool ok =
        payload_feed(p, (const uint8_t *)c->request, c->request_len, fault) &&
        payload_finish(p, t, fault);
    payload_free(&p);
    return ok;
}

/* The result as ours prints it; empty when there is none. */
static void result(const struct parity_case *c, enum tally_numbers numbers,
                   char text[TALLY_TEXT_MAX])
{
    struct tally t;
    struct fault fault;
    text[0] = '\0';
    if (decode(c, numbers, &t, &fault))
        text[tally_print(&t, text)] = '\0';
}

static bool are(const char *a, const char *b, const char *exact,
                const char *rounded)
{
    return json_diff_numbers(a, exact) <= JSON_DIFF_FORM &&
           json_diff_numbers(b, rounded) <= JSON_DIFF_FORM;
}

bool contract_is_rounding(const struct parity_case *c, const char *a,
                          const char *b)
{
    char exact[TALLY_TEXT_MAX], rounded[TALLY_TEXT_MAX];
    if (c->request != NULL && c->program != NULL)
        return contract_query_is_rounding(c, a, b);
    if (c->request == NULL || c->shape == NULL)
        return false;
    result(c, TALLY_INT64, exact);
    result(c, TALLY_DOUBLE, rounded);
    return exact[0] != '\0' && rounded[0] != '\0' &&
           (are(a, b, exact, rounded) || are(b, a, exact, rounded));
}

/* --- Ours refuses. --- */

/* The value at the place that the decoder complains of. */
static const struct json_tree_value *value_at(const struct parity_case *c,
                                              const struct json_tree *t,
                                              const char *pointer)
{
    const struct json_tree_value *items =
        json_tree_member(t->root, c->shape->array);
    uint64_t i = 0;
    if (items == NULL || items->type != JSON_TREE_ARRAY)
        return NULL;
    for (const struct json_tree_value *v = items->first; v != NULL;
         v = v->next) {
        struct fault f;
        fault_shape(&f, c->shape->array, i++, c->shape->field, "");
        if (strcmp(f.pointer, pointer) == 0)
            return json_tree_member(v, c->shape->field);
    }
    return NULL;
}

static enum parity_kind explain_shape(const struct parity_case *c,
                                      const struct fault *f)
{
    struct json_tree t;
    enum parity_kind kind = PARITY_wrong_shape;
    enum json_tree_state state = json_tree_read(&t, c->request, c->request_len);
    if (state != JSON_TREE_READ)
        return state == JSON_TREE_NO_MEMORY ? PARITY_unjudged : PARITY_status;
    if (strcmp(f->reason, FAULT_MISSING) == 0 &&
        json_tree_member(t.root, c->shape->array) != NULL)
        kind = PARITY_missing_field;
    if (strcmp(f->reason, FAULT_NOT_INT64) == 0 ||
        strcmp(f->reason, FAULT_NOT_NUMBER) == 0) {
        const struct json_tree_value *v = value_at(c, &t, f->pointer);
        kind = v != NULL && v->type == JSON_TREE_NUMBER ? PARITY_not_integer
                                                        : PARITY_coerced;
    }
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
            shown || (v->type == JSON_TREE_NUMBER &&
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

static enum parity_kind explain_refusal(const struct parity_case *c)
{
    struct tally t;
    struct fault f = {.what = OUTCOME_ok};
    char text[TALLY_TEXT_MAX];
    bool decoded = decode(c, c->shape->numbers, &t, &f);
    if (decoded && tally_print(&t, text) == 0)
        f.what = OUTCOME_out_of_range;
    if (f.what == OUTCOME_internal)
        return PARITY_unjudged;
    if (f.what == OUTCOME_ok || c->ours.status != outcome_status(f.what))
        return PARITY_status;
    if (decoded)
        return explain_range(c, &t);
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
    if (object->type == JSON_TREE_OBJECT)
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
        if (value != NULL && value->type == JSON_TREE_NUMBER &&
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
    if (!decode(c, c->shape->numbers, &tally, &f))
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
    if (c->program != NULL)
        return contract_query_explain(c, refused == c->ours.status);
    return refused == c->ours.status ? explain_refusal(c)
                                     : explain_acceptance(c);
}
