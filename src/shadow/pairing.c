/* pairing: see pairing.h. */
#include "shadow/pairing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/outcome.h"
#include "compare/wanted.h"
#include "compare/idlines.h"
#include "compare/parity.h"

/* A result this much older than the newest post, in seconds, has none. */
#define GRACE 10

/* Of one run. */
struct work {
    struct pairing *p;
    const struct pairing_files *files;
    struct idlines results, posts, answers;
    struct idlines_index posted, answered;
    int64_t newest; /* of the posts, seconds since 1970 */
};

/* --- Bodies. --- */

/* `body`, or `body_base64` where it is not UTF-8. False: there is neither, or
 * memory is short. free(own) is due in any case. */
struct body {
    const char *bytes;
    size_t n;
    char *own;
};

static bool read_body(const struct json_tree *t, struct body *b)
{
    const struct json_tree_value *text = idlines_text(t, "body");
    *b = (struct body){0};
    if (text != NULL) {
        b->bytes = text->text;
        b->n = text->text_len;
        return true;
    }
    text = idlines_text(t, "body_base64");
    b->own = text == NULL ? NULL : malloc(text->text_len + 1);
    b->bytes = b->own;
    return b->own != NULL &&
           base64_decode(text->text, text->text_len, b->own, &b->n);
}

/* The body of the request. Of one that was refused for its size it is not kept,
 * and nothing in it would matter. */
static bool read_request(const struct json_tree *result, struct body *b)
{
    if (read_body(result, b))
        return true;
    const struct json_tree_value *o = idlines_text(result, "outcome");
    free(b->own);
    *b = (struct body){.bytes = ""};
    return o != NULL &&
           strcmp(o->text, outcome_name(OUTCOME_body_too_large)) == 0;
}

/* --- What the old handler has done, by id. --- */

static bool index_post(struct work *w, size_t at, size_t len)
{
    struct json_tree t;
    struct body body;
    const struct json_tree_value *id;
    bool ok = true;
    if (!idlines_read(&w->posts, at, len, &t, &id)) {
        w->p->broken++;
        return true;
    }
    if (read_body(&t, &body)) {
        int64_t time = idlines_time(&t);
        const struct idlines_entry *e = idlines_add(&w->posted, id, at, len);
        if (time > w->newest)
            w->newest = time;
        w->p->posts++;
        w->p->repeated += e != NULL && e->repeated;
        ok = e != NULL;
    } else {
        w->p->broken++;
    }
    free(body.own);
    json_tree_free(&t);
    return ok;
}

/* Of a client that went away nobody knows what it would have been told: nginx
 * logs 499 then. */
static bool index_answer(struct work *w, size_t at, size_t len)
{
    struct json_tree t;
    const struct json_tree_value *id;
    if (!idlines_read(&w->answers, at, len, &t, &id)) {
        w->p->broken++;
        return true;
    }
    int status = idlines_number(&t, "status", 0);
    bool known = status >= 200 && status < 600 && status != 499;
    bool ok = !known || idlines_add(&w->answered, id, at, len) != NULL;
    w->p->answers += known;
    json_tree_free(&t);
    return ok;
}

static bool index_all(struct work *w)
{
    size_t at, len;
    while (idlines_next(&w->posts, &at, &len))
        if (!index_post(w, at, len))
            return false;
    while (idlines_next(&w->answers, &at, &len))
        if (!index_answer(w, at, len))
            return false;
    return true;
}

/* What it answered; 0: that is not known. */
static int answer_of(const struct work *w, const struct json_tree_value *id)
{
    struct json_tree t;
    const struct json_tree_value *other;
    const struct idlines_entry *e = idlines_find(&w->answered, id);
    if (e == NULL || e->repeated ||
        !idlines_read(&w->answers, e->at, e->len, &t, &other))
        return 0;
    int status = idlines_number(&t, "status", 0);
    json_tree_free(&t);
    return status;
}

/* --- Comparing. --- */

static void judge(struct pairing *p, const struct json_tree_value *id,
                  const struct parity_case *c)
{
    struct parity_verdict v;
    parity_judge(c, &v);
    comparison_add(&p->comparison, &v, false);
    if (p->example[0] == '\0' && parity_kind_class(v.kind) == PARITY_MISMATCH)
        snprintf(p->example, sizeof p->example, "%s", id->text);
}

static const struct config_endpoint *endpoint_of(const struct config *c,
                                                 const struct json_tree *result)
{
    const struct json_tree_value *name = idlines_text(result, "endpoint");
    return c == NULL || name == NULL ? NULL
                                     : config_find_endpoint(c, name->text);
}

static struct parity_result make_result(int status, const char *posted,
                                        size_t posted_len)
{
    return (struct parity_result){.end = CALL_ANSWERED,
                                  .status = status,
                                  .reply = "{}",
                                  .reply_len = 2,
                                  .posts = posted != NULL,
                                  .posted = posted,
                                  .posted_len = posted_len};
}

/* Whoever posts has taken the request, even if the client was told otherwise
 * because the downstream had failed. Who does not has refused it: with the
 * status that was logged, or else with one as good as ours. */
static struct parity_result theirs(const struct body *post, int answered,
                                   int ours)
{
    if (post != NULL)
        return make_result(200, post->bytes, post->n);
    return make_result(answered != 0     ? answered
                       : ours / 100 == 4 ? ours
                                         : 422,
                       NULL, 0);
}

/* Ours with a failure of its own has said nothing about the request. */
static void compare(struct work *w, const struct json_tree *result,
                    const struct json_tree_value *id, const struct body *post,
                    int answered)
{
    struct wanted wanted;
    struct body request;
    const struct json_tree_value *ours = idlines_text(result, "result");
    int status = idlines_number(result, "status", ours != NULL ? 200 : 422);
    if (status / 100 == 5) {
        w->p->failed++;
        return;
    }
    wanted_open(&wanted, endpoint_of(w->files->config, result));
    bool known = read_request(result, &request);
    struct parity_case c = {
        .request = known ? request.bytes : NULL,
        .request_len = known ? request.n : 0,
        .ours = make_result(status, ours == NULL ? NULL : ours->text,
                            ours == NULL ? 0 : ours->text_len),
        .theirs = theirs(post, answered, status)};
    wanted_put(&wanted, &c);
    judge(w->p, id, &c);
    wanted_close(&wanted);
    free(request.own);
}

static void pair(struct work *w, const struct json_tree *result,
                 const struct json_tree_value *id)
{
    struct json_tree t;
    struct body post;
    const struct json_tree_value *other;
    struct idlines_entry *e = idlines_find(&w->posted, id);
    int answered = answer_of(w, id);
    bool recent = w->newest != 0 && answered == 0 &&
                  idlines_time(result) > w->newest - GRACE;
    if (e != NULL && e->repeated)
        return;
    if (e != NULL) {
        e->claimed = 1;
        if (!idlines_read(&w->posts, e->at, e->len, &t, &other))
            return;
        if (read_body(&t, &post))
            compare(w, result, id, &post, answered);
        free(post.own);
        json_tree_free(&t);
    } else if (recent) {
        w->p->pending++;
    } else {
        compare(w, result, id, NULL, answered);
    }
}

static void pair_all(struct work *w)
{
    size_t at, len;
    struct json_tree t;
    const struct json_tree_value *id;
    const char *wanted = w->files->endpoint;
    while (idlines_next(&w->results, &at, &len)) {
        if (!idlines_read(&w->results, at, len, &t, &id)) {
            w->p->broken++;
            continue;
        }
        const struct json_tree_value *endpoint = idlines_text(&t, "endpoint");
        if (wanted == NULL ||
            (endpoint != NULL && strcmp(endpoint->text, wanted) == 0)) {
            w->p->results++;
            pair(w, &t, id);
        }
        json_tree_free(&t);
    }
    for (uint64_t i = 0; i < w->posted.room; i++) {
        const struct idlines_entry *e = &w->posted.entries[i];
        w->p->unclaimed += e->hash != 0 && !e->claimed && !e->repeated;
    }
}

bool pairing_read(struct pairing *p, const struct pairing_files *files,
                  char *why, size_t why_size)
{
    struct work w = {.p = p, .files = files};
    *p = (struct pairing){0};
    bool good = idlines_open(&w.posts, files->posts, why, why_size) &&
                idlines_open(&w.results, files->results, why, why_size) &&
                (files->answers == NULL ||
                 idlines_open(&w.answers, files->answers, why, why_size));
    if (good && !index_all(&w)) {
        snprintf(why, why_size, "memory is short");
        good = false;
    }
    if (good)
        pair_all(&w);
    idlines_forget(&w.posted);
    idlines_forget(&w.answered);
    idlines_close(&w.results);
    idlines_close(&w.posts);
    idlines_close(&w.answers);
    return good;
}
