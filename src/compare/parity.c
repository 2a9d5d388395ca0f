/* parity: see parity.h. */
#include "compare/parity.h"

#include <string.h>

#include "compare/contract.h"

const char *parity_place_name(enum parity_place p)
{
    static const char *const names[] = {
        [PARITY_NOWHERE] = "",       [PARITY_IN_STATUS] = "status",
        [PARITY_IN_POSTS] = "posts", [PARITY_IN_POSTED] = "posted",
        [PARITY_IN_REPLY] = "reply",
    };
    return names[p];
}

static bool say(struct parity_verdict *v, enum parity_kind kind,
                enum parity_place place)
{
    v->kind = kind;
    v->place = place;
    return kind == PARITY_equal;
}

/* --- Is there an answer, and is it one of success? --- */

static bool is_either(const struct parity_case *c, enum call_end end)
{
    return c->ours.end == end || c->theirs.end == end;
}

static bool judge_ends(const struct parity_case *c, struct parity_verdict *v)
{
    enum parity_kind kind = PARITY_reply_size;
    if (c->ours.end == CALL_ANSWERED && c->theirs.end == CALL_ANSWERED)
        return true;
    if (is_either(c, CALL_UNREACHED))
        kind = PARITY_unreached;
    else if (c->ours.end == c->theirs.end)
        kind = PARITY_unjudged;
    else if (is_either(c, CALL_TIMED_OUT))
        kind = PARITY_timing_out;
    else if (is_either(c, CALL_BROKEN))
        kind = PARITY_broken;
    return say(v, kind, PARITY_IN_STATUS);
}

static bool accepts(const struct parity_result *r)
{
    return r->status / 100 == 2;
}

/* Who refuses may do so with a status of its own, but has posted nothing. */
static bool judge_status(const struct parity_case *c, struct parity_verdict *v)
{
    if (accepts(&c->ours) != accepts(&c->theirs)) {
        enum parity_kind kind = contract_explain(c);
        if (parity_kind_class(kind) == PARITY_CONTRACT && !accepts(&c->ours) &&
            c->ours.posts > 0)
            return say(v, PARITY_downstream_extra, PARITY_IN_POSTS);
        return say(v, kind, PARITY_IN_STATUS);
    }
    if (c->ours.status / 100 == 5 && c->theirs.status / 100 == 5)
        return say(v, PARITY_both_failed, PARITY_IN_STATUS);
    bool both_refuse = c->ours.status / 100 == 4 && c->theirs.status / 100 == 4;
    if (c->ours.status != c->theirs.status && !both_refuse)
        return say(v, PARITY_status, PARITY_IN_STATUS);
    return true;
}

/* --- What was posted, what was answered. --- */

static bool judge_posts(const struct parity_case *c, struct parity_verdict *v)
{
    int ours = c->ours.posts, theirs = c->theirs.posts;
    if (ours == PARITY_POSTS_UNKNOWN || theirs == PARITY_POSTS_UNKNOWN ||
        ours == theirs)
        return true;
    return say(
        v, ours < theirs ? PARITY_downstream_missing : PARITY_downstream_extra,
        PARITY_IN_POSTS);
}

static enum parity_kind kind_of(const struct parity_case *c,
                                const struct difference *d,
                                enum parity_kind other)
{
    switch (d->kind) {
    case JSON_DIFF_NOT:
        return PARITY_equal;
    case JSON_DIFF_FORM:
        return PARITY_number_form;
    case JSON_DIFF_ROUNDED:
        return PARITY_precision;
    case JSON_DIFF_NO_MEMORY:
        return PARITY_unjudged;
    case JSON_DIFF_NUMBER:
        if (contract_is_rounding(c, d->a->text, d->b->text))
            return PARITY_precision;
        break;
    default:
        break;
    }
    return other;
}

static bool judge_trees(const struct parity_case *c, const struct json_tree *a,
                        const struct json_tree *b, enum parity_kind other,
                        enum parity_place place, struct parity_verdict *v)
{
    struct difference d;
    if (json_diff(a->root, b->root, &d))
        return true;
    memcpy(v->pointer, d.pointer, sizeof v->pointer);
    return say(v, kind_of(c, &d, other), place);
}

struct text {
    const char *bytes;
    size_t n;
};

/* `other`: the kind of what is no matter of numbers; `not_json`: of a text that
 * is none. */
static bool judge_texts(const struct parity_case *c, struct text ours,
                        struct text theirs, enum parity_kind other,
                        enum parity_kind not_json, enum parity_place place,
                        struct parity_verdict *v)
{
    struct json_tree a, b;
    if (ours.n == theirs.n &&
        (ours.n == 0 || memcmp(ours.bytes, theirs.bytes, ours.n) == 0))
        return true;
    enum json_tree_state read_a = json_tree_read(&a, ours.bytes, ours.n);
    enum json_tree_state read_b = json_tree_read(&b, theirs.bytes, theirs.n);
    bool same;
    if (read_a == JSON_TREE_READ && read_b == JSON_TREE_READ)
        same = judge_trees(c, &a, &b, other, place, v);
    else if (read_a == JSON_TREE_NO_MEMORY || read_b == JSON_TREE_NO_MEMORY)
        same = say(v, PARITY_unjudged, place);
    else
        same = say(v, not_json, place);
    json_tree_free(&a);
    json_tree_free(&b);
    return same;
}

static bool judge_posted(const struct parity_case *c, struct parity_verdict *v)
{
    if (c->ours.posts < 1 || c->theirs.posts < 1)
        return true;
    return judge_texts(c, (struct text){c->ours.posted, c->ours.posted_len},
                       (struct text){c->theirs.posted, c->theirs.posted_len},
                       PARITY_downstream_body, PARITY_downstream_body,
                       PARITY_IN_POSTED, v);
}

static bool judge_reply(const struct parity_case *c, struct parity_verdict *v)
{
    bool same = judge_texts(c, (struct text){c->ours.reply, c->ours.reply_len},
                            (struct text){c->theirs.reply, c->theirs.reply_len},
                            PARITY_reply_body, PARITY_reply_not_json,
                            PARITY_IN_REPLY, v) &&
                (c->ours.status == c->theirs.status ||
                 say(v, PARITY_error_shape, PARITY_IN_STATUS));
    if (!same && !accepts(&c->ours) && v->kind != PARITY_unjudged)
        v->kind = PARITY_error_shape;
    return same;
}

void parity_judge(const struct parity_case *c, struct parity_verdict *v)
{
    *v = (struct parity_verdict){.kind = PARITY_equal};
    if (judge_ends(c, v) && judge_status(c, v) && judge_posts(c, v) &&
        judge_posted(c, v))
        judge_reply(c, v);
}

bool parity_is_noise(const struct parity_verdict *v,
                     const struct parity_verdict *noise)
{
    enum parity_kind_class class = parity_kind_class(noise->kind);
    return (class == PARITY_MISMATCH || class == PARITY_CONTRACT) &&
           v->place == noise->place && strcmp(v->pointer, noise->pointer) == 0;
}
