/* pairing: see pairing.h. */
#include "services/pairing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "domain/base64.h"
#include "domain/outcome.h"
#include "domain/parity.h"
#include "domain/tree.h"
#include "services/decoder.h"

/* A file in memory, and where the next line is. */
struct lines {
    char *bytes;
    size_t size, at;
};

/* A result this much older than the newest post, in seconds, has none. */
#define PATIENCE 10

/* One post: where its line is. */
struct entry {
    uint64_t hash; /* of its id; 0: the entry is empty */
    uint64_t at : 62, claimed : 1, repeated : 1;
    uint64_t len;
};

struct index {
    struct entry *entries;
    uint64_t room, used; /* room: a power of 2 */
    int64_t newest;      /* of the posts, seconds since 1970 */
};

/* --- Lines. --- */

static bool open_lines(struct lines *l, const char *path, char *why,
                       size_t why_size)
{
    struct stat st;
    *l = (struct lines){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool good = fd >= 0 && fstat(fd, &st) == 0;
    if (good && st.st_size > 0) {
        l->size = (size_t)st.st_size;
        l->bytes = mmap(NULL, l->size, PROT_READ, MAP_PRIVATE, fd, 0);
        good = l->bytes != MAP_FAILED;
    }
    if (!good)
        snprintf(why, why_size, "%.200s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return good;
}

static void close_lines(struct lines *l)
{
    if (l->bytes != NULL && l->bytes != MAP_FAILED)
        munmap(l->bytes, l->size);
}

/* False: there is none. One without its end is still being written. */
static bool next_line(struct lines *l, size_t *at, size_t *len)
{
    const char *end = l->at == l->size
                          ? NULL
                          : memchr(l->bytes + l->at, '\n', l->size - l->at);
    if (end == NULL)
        return false;
    *at = l->at;
    *len = (size_t)(end - l->bytes) - l->at;
    l->at += *len + 1;
    return true;
}

static const struct tree_value *text_of(const struct tree *t, const char *name)
{
    const struct tree_value *v = tree_member(t->root, name);
    return v != NULL && v->type == TREE_STRING ? v : NULL;
}

/* Seconds since 1970 of the member `time`, such as 2026-11-24T10:00:00.5Z;
 * 0: it has none. */
static int64_t time_of(const struct tree *t)
{
    struct tm utc = {0};
    const struct tree_value *text = text_of(t, "time");
    return text == NULL ||
                   strptime(text->text, "%Y-%m-%dT%H:%M:%S", &utc) == NULL
               ? 0
               : (int64_t)timegm(&utc);
}

/* `body`, or `body_base64` where it is not UTF-8. False: there is neither, or
 * memory is short. free(own) is due in any case. */
struct body {
    const char *bytes;
    size_t n;
    char *own;
};

static bool read_body(const struct tree *t, struct body *b)
{
    const struct tree_value *text = text_of(t, "body");
    *b = (struct body){0};
    if (text != NULL) {
        b->bytes = text->text;
        b->n = text->text_len;
        return true;
    }
    text = text_of(t, "body_base64");
    b->own = text == NULL ? NULL : malloc(text->text_len + 1);
    b->bytes = b->own;
    return b->own != NULL &&
           base64_decode(text->text, text->text_len, b->own, &b->n);
}

/* An object with a request id; else false, and nothing is held. */
static bool read_line(struct tree *t, const char *line, size_t n,
                      const struct tree_value **id)
{
    if (tree_read(t, line, n) != TREE_READ)
        return false;
    *id = text_of(t, "request_id");
    if (*id != NULL && (*id)->text_len > 0)
        return true;
    tree_free(t);
    return false;
}

/* --- The index of the posts. --- */

/* FNV-1a. */
static uint64_t hash_of(const struct tree_value *id)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < id->text_len; i++)
        h = (h ^ (unsigned char)id->text[i]) * UINT64_C(1099511628211);
    return h == 0 ? 1 : h;
}

static struct entry *find(const struct index *x, uint64_t hash)
{
    uint64_t i = hash & (x->room - 1);
    while (x->entries[i].hash != 0 && x->entries[i].hash != hash)
        i = (i + 1) & (x->room - 1);
    return &x->entries[i];
}

static bool grow(struct index *x)
{
    struct index larger = {.room = x->room == 0 ? 1024 : 2 * x->room,
                           .used = x->used,
                           .newest = x->newest};
    if (x->used * 2 < x->room)
        return true;
    larger.entries = calloc(larger.room, sizeof *larger.entries);
    if (larger.entries == NULL)
        return false;
    for (uint64_t i = 0; i < x->room; i++)
        if (x->entries[i].hash != 0)
            *find(&larger, x->entries[i].hash) = x->entries[i];
    free(x->entries);
    *x = larger;
    return true;
}

/* Two ids of one hash of 64 bits are taken for one, and not judged: once in
 * some billion weeks. */
static bool index_posts(struct pairing *p, struct index *x, struct lines *posts)
{
    size_t at, len;
    struct tree t;
    struct body body;
    const struct tree_value *id;
    while (next_line(posts, &at, &len)) {
        if (!read_line(&t, posts->bytes + at, len, &id)) {
            p->broken++;
            continue;
        }
        uint64_t hash = hash_of(id);
        bool whole = read_body(&t, &body);
        int64_t time = time_of(&t);
        free(body.own);
        tree_free(&t);
        if (!whole) {
            p->broken++;
            continue;
        }
        if (time > x->newest)
            x->newest = time;
        if (!grow(x))
            return false;
        struct entry *e = find(x, hash);
        p->posts++;
        p->repeated += e->hash != 0;
        x->used += e->hash == 0;
        *e = (struct entry){.hash = hash,
                            .at = at & ((UINT64_C(1) << 62) - 1),
                            .repeated = e->hash != 0,
                            .len = len};
    }
    return true;
}

/* --- Comparing. --- */

static void judge(struct pairing *p, const struct tree_value *id,
                  const struct parity_case *c)
{
    struct parity_verdict v;
    parity_judge(c, &v);
    comparison_add(&p->comparison, &v, false);
    if (p->example[0] == '\0' && parity_class(v.kind) == PARITY_MISMATCH)
        snprintf(p->example, sizeof p->example, "%s", id->text);
}

static const struct config_endpoint *endpoint_of(const struct config *c,
                                                 const struct tree *result)
{
    const struct tree_value *name = text_of(result, "endpoint");
    return c == NULL || name == NULL ? NULL
                                     : config_find_endpoint(c, name->text);
}

/* What ours answered. A line without a status is of a success if it has a
 * result. */
static int status_of(const struct tree *result)
{
    const struct tree_value *v = tree_member(result->root, "status");
    if (v != NULL && v->type == TREE_NUMBER)
        return (int)strtol(v->text, NULL, 10);
    return text_of(result, "result") != NULL ? 200 : 422;
}

/* The body of the request. Of one that was refused for its size it is not kept,
 * and nothing in it would matter. */
static bool read_request(const struct tree *result, struct body *b)
{
    if (read_body(result, b))
        return true;
    const struct tree_value *o = text_of(result, "outcome");
    free(b->own);
    *b = (struct body){.bytes = ""};
    return o != NULL &&
           strcmp(o->text, outcome_name(OUTCOME_body_too_large)) == 0;
}

static struct parity_result make_result(int status, const char *posted,
                                        size_t posted_len)
{
    return (struct parity_result){.end = PARITY_ANSWERED,
                                  .status = status,
                                  .reply = "{}",
                                  .reply_len = 2,
                                  .posts = posted != NULL,
                                  .posted = posted,
                                  .posted_len = posted_len};
}

/* What is known of the old handler is whether it has posted, and what: it takes
 * a request that it posts for, and refuses one that it does not, with whatever
 * status. Ours with a failure of its own has said nothing about the request. */
static void compare(struct pairing *p, const struct config *config,
                    const struct tree *result, const struct tree_value *id,
                    const struct body *post)
{
    struct shape shape;
    struct body request;
    int status = status_of(result);
    int refusal = status / 100 == 4 ? status : 422;
    const struct config_endpoint *e = endpoint_of(config, result);
    const struct tree_value *ours = text_of(result, "result");
    if (status / 100 == 5) {
        p->failed++;
        return;
    }
    if (e != NULL)
        shape = decoder_shape(e);
    bool known = read_request(result, &request);
    const struct parity_case c = {
        .request = known ? request.bytes : NULL,
        .request_len = known ? request.n : 0,
        .shape = e == NULL ? NULL : &shape,
        .ours = make_result(status, ours == NULL ? NULL : ours->text,
                            ours == NULL ? 0 : ours->text_len),
        .theirs = post == NULL ? make_result(refusal, NULL, 0)
                               : make_result(200, post->bytes, post->n)};
    judge(p, id, &c);
    free(request.own);
}

static void pair(struct pairing *p, const struct config *config,
                 struct index *x, const struct lines *posts,
                 const struct tree *result, const struct tree_value *id)
{
    struct tree t;
    struct body post;
    const struct tree_value *other;
    struct entry none = {0};
    struct entry *e = x->room == 0 ? &none : find(x, hash_of(id));
    if (e->repeated)
        return;
    e->claimed = 1;
    if (e->hash == 0 && time_of(result) > x->newest - PATIENCE &&
        x->newest != 0) {
        p->pending++;
    } else if (e->hash == 0) {
        compare(p, config, result, id, NULL);
    } else if (read_line(&t, posts->bytes + e->at, e->len, &other)) {
        if (read_body(&t, &post))
            compare(p, config, result, id, &post);
        free(post.own);
        tree_free(&t);
    }
}

static void read_results(struct pairing *p, const struct pairing_files *files,
                         struct lines *results, struct index *x,
                         const struct lines *posts)
{
    size_t at, len;
    struct tree t;
    const struct tree_value *id;
    while (next_line(results, &at, &len)) {
        if (!read_line(&t, results->bytes + at, len, &id)) {
            p->broken++;
            continue;
        }
        const struct tree_value *endpoint = text_of(&t, "endpoint");
        if (files->endpoint == NULL ||
            (endpoint != NULL &&
             strcmp(endpoint->text, files->endpoint) == 0)) {
            p->results++;
            pair(p, files->config, x, posts, &t, id);
        }
        tree_free(&t);
    }
}

bool pairing_read(struct pairing *p, const struct pairing_files *files,
                  char *why, size_t why_size)
{
    struct lines results = {0}, posts = {0};
    struct index x = {0};
    *p = (struct pairing){0};
    bool good = open_lines(&posts, files->posts, why, why_size) &&
                open_lines(&results, files->results, why, why_size);
    if (good && !index_posts(p, &x, &posts)) {
        snprintf(why, why_size, "memory is short");
        good = false;
    }
    if (good) {
        read_results(p, files, &results, &x, &posts);
        for (uint64_t i = 0; i < x.room; i++)
            p->unclaimed += x.entries[i].hash != 0 && !x.entries[i].claimed &&
                            !x.entries[i].repeated;
    }
    free(x.entries);
    close_lines(&results);
    close_lines(&posts);
    return good;
}
