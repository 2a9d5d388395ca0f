/* typed: see typed.h. */
#include "decode/typed.h"

#include <stdlib.h>
#include <string.h>

#include "decode/lines.h"
#include "decode/paths.h"
#include "decode/plan.h"
#include "decode/walk.h"
#include "decode/walk_query.h"
#include "decode/walk_tokens.h"
#include "decode/window.h"
#include "decode/scan.h"

/* How much of a chunk's end may wait for the next one, and how much of that
 * one is put behind it: few bytes, mostly together those of one strip. */
#define WAITING_MAX 1024
#define FOLLOWING_MIN 64
#define FOLLOWING_MAX 256

/* A chunk that is shorter waits: a window has its price. */
#define CHUNK_MIN 64

/* Who goes over the bytes that come next. */
enum mode {
    MODE_WINDOW,
    MODE_STRING, /* a long one is under way; windows go on behind it */
    MODE_SCAN,
};

/* What a program takes. */
struct query {
    struct paths *paths;
    struct walk_state walk;
    struct buf result;
    struct lines lines; /* where each line of the body is a document */
};

struct typed {
    struct plan plan;
    uint32_t max_depth;
    struct query *query; /* NULL: `walk` takes it */
    const struct window_path *path;
    enum mode mode;
    bool windows; /* the plan can be looked for by windows */
    struct walk walk;
    struct scan scan;
    size_t waiting;
    uint8_t waiting_bytes[WAITING_MAX + FOLLOWING_MAX];
    struct window window;
};

static struct typed *allocate(uint32_t max_depth)
{
    /* All of it is set: windows read what is in their room behind what counts,
     * and leave it out by masks. */
    struct typed *d = calloc(1, sizeof *d);
    if (d == NULL)
        return NULL;
    d->max_depth = max_depth;
    typed_choose_path(d, 0);
    return d;
}

struct typed *typed_new(const struct shape *shape)
{
    struct typed *d = allocate(shape->max_depth);
    if (d == NULL)
        return NULL;
    d->windows = plan_make(&d->plan, shape->array, shape->field);
    d->walk.plan = &d->plan;
    d->walk.shape = *shape;
    return d;
}

static void free_query(struct query *q)
{
    walk_state_free(&q->walk);
    free(q->paths);
    free(q->result.data);
    free(q);
}

static struct query *new_query(const struct program *p)
{
    struct query *q = calloc(1, sizeof *q);
    size_t room = evaluation_room(p);
    if (q == NULL)
        return NULL;
    q->paths = paths_new(p);
    char *bytes = malloc(room);
    buf_init(&q->result, bytes, bytes == NULL ? 0 : room);
    if (q->paths != NULL && bytes != NULL &&
        walk_state_open(&q->walk, q->paths))
        return q;
    free_query(q);
    return NULL;
}

struct typed *typed_new_program(const struct program *p, uint32_t max_depth)
{
    struct typed *d = allocate(max_depth);
    if (d == NULL)
        return NULL;
    d->query = new_query(p);
    if (d->query == NULL) {
        typed_free(&d);
        return NULL;
    }
    d->plan = d->query->paths->plan;
    d->windows = d->query->paths->windows;
    return d;
}

void typed_free(struct typed **d)
{
    if (*d == NULL)
        return;
    walk_free(&(*d)->walk);
    if ((*d)->query != NULL)
        free_query((*d)->query);
    free(*d);
    *d = NULL;
}

void typed_choose_path(struct typed *d, size_t index)
{
    const struct window_path *paths[WINDOW_PATHS_MAX];
    size_t n = window_paths(paths);
    d->path = paths[index < n ? index : n - 1];
}

static void begin_document(struct typed *d)
{
    window_begin(&d->window, d->max_depth);
    d->mode = MODE_WINDOW;
    d->waiting = 0;
    if (!d->windows) {
        scan_begin(&d->scan, d->max_depth);
        d->mode = MODE_SCAN;
    }
}

static bool is_lines(const struct typed *d)
{
    return d->query != NULL && d->query->paths->program->lines;
}

void typed_begin(struct typed *d)
{
    begin_document(d);
    if (d->query == NULL) {
        walk_begin(&d->walk);
        return;
    }
    walk_state_begin(&d->query->walk);
    buf_reset(&d->query->result);
    lines_begin(&d->query->lines);
    if (is_lines(d))
        walk_state_line(&d->query->walk, 1);
}

/* --- What is taken. --- */

static void take_window(struct typed *d, uint32_t depth, const uint8_t *from,
                        const uint8_t *end)
{
    const struct window *w = &d->window;
    const uint8_t *cut = from + w->taken;
    if (d->query == NULL)
        walk_events(&d->walk, depth, from, w->at, w->events, w->escapes, cut,
                    end);
    else
        walk_query_events(&d->query->walk, depth, from, w->at, w->events,
                          w->escapes, cut, end);
}

static void take_in_name(struct typed *d)
{
    if (d->query == NULL)
        walk_in_name(&d->walk);
    else
        walk_tokens_in_name(&d->query->walk);
}

/* A token that ends at `to`, where the one before it ended at `from`. */
static void take_token(struct typed *d, enum scan_token token,
                       const struct scan_text *text, const uint8_t *from,
                       const uint8_t *to)
{
    if (d->query != NULL)
        walk_tokens_take(&d->query->walk, &d->scan, token, text, from,
                         (size_t)(to - from));
    else if (token != SCAN_MORE)
        walk_token(&d->walk, &d->scan, token, text);
}

/* --- Between windows and scan. --- */

/* Let scan go on where the windows are, in a string or not. */
static void enter_scan(struct typed *d)
{
    static const uint8_t where[] = {
        [WINDOW_BEHIND_NOTHING] = SCAN_BEHIND_NOTHING,
        [WINDOW_BEHIND_BRACKET] = SCAN_BEHIND_BRACKET,
        [WINDOW_BEHIND_COMMA] = SCAN_BEHIND_COMMA,
        [WINDOW_BEHIND_VALUE] = SCAN_BEHIND_VALUE,
        [WINDOW_BEHIND_NAME] = SCAN_BEHIND_NAME,
        [WINDOW_BEHIND_ALL] = SCAN_BEHIND_VALUE,
    };
    const struct window_place *p = &d->window.place;
    scan_begin(&d->scan, d->max_depth);
    for (uint32_t level = 1; level <= p->depth; level++)
        scan_open(&d->scan, window_is_object(p, level));
    d->scan.offset = p->offset;
    d->scan.line = p->line;
    d->scan.line_start = p->line_start;
    scan_resume(&d->scan, where[p->behind], d->mode == MODE_STRING);
    if (d->mode == MODE_STRING && p->behind == WINDOW_BEHIND_NAME)
        take_in_name(d);
    d->mode = MODE_SCAN;
}

/* Let windows go on where scan is: behind a value or an opening bracket. */
static void leave_scan(struct typed *d, enum scan_where where)
{
    struct window_place *p = &d->window.place;
    *p = (struct window_place){.offset = d->scan.offset,
                               .line = d->scan.line,
                               .line_start = d->scan.line_start};
    for (uint32_t level = 0; level < d->scan.depth; level++)
        window_push(p, scan_is_object(&d->scan, level));
    p->behind = where == SCAN_BEHIND_BRACKET ? WINDOW_BEHIND_BRACKET
                : p->depth == 0              ? WINDOW_BEHIND_ALL
                                             : WINDOW_BEHIND_VALUE;
    d->mode = MODE_WINDOW;
}

/* Go over [*at, end) with scan: to a place behind `least` where windows may go
 * on, or to the end. False: `fault`. */
static bool feed_scan(struct typed *d, const uint8_t **at, const uint8_t *least,
                      const uint8_t *end, struct fault *fault)
{
    for (;;) {
        struct scan_text text;
        const uint8_t *from = *at;
        enum scan_token token = scan_next(&d->scan, at, end, &text);
        if (token == SCAN_FAULT) {
            scan_fault(&d->scan, fault);
            return false;
        }
        take_token(d, token, &text, from, *at);
        if (token == SCAN_MORE)
            return true;
        enum scan_where where;
        if (*at >= least && d->windows && scan_where(&d->scan, &where)) {
            leave_scan(d, where);
            return true;
        }
    }
}

/* --- Windows. --- */

/* One window of [*at, end). False: no more can be taken of what is there. Of
 * what a window to the end leaves that is known: there is neither bracket nor
 * comma in it, and it is no long string. */
static bool feed_window(struct typed *d, const uint8_t **at, const uint8_t *end,
                        const uint8_t **wrong)
{
    struct window *w = &d->window;
    uint32_t depth = w->place.depth;
    size_t n = (size_t)(end - *at);
    if (n > WINDOW_MAX)
        n = WINDOW_MAX;
    enum window_result r = d->path->read(w, &d->plan, *at, n);
    if (r == WINDOW_TAKEN || r == WINDOW_IN_STRING) {
        take_window(d, depth, *at, end);
        *at += w->taken;
        if (r == WINDOW_IN_STRING)
            d->mode = MODE_STRING;
        return r == WINDOW_IN_STRING || n - w->taken >= WINDOW_LONG ||
               *at + n - w->taken < end;
    }
    *wrong = *at + n;
    if (r == WINDOW_SHORT && n < WAITING_MAX)
        return false;
    enter_scan(d);
    return true;
}

static bool feed_string(struct typed *d, const uint8_t **at, const uint8_t *end,
                        const uint8_t **wrong)
{
    size_t n = (size_t)(end - *at);
    enum window_result r = d->path->read_string(&d->window, *at, n);
    *wrong = end;
    if (r == WINDOW_WRONG) {
        enter_scan(d);
        return true;
    }
    if (d->query != NULL)
        walk_query_string(&d->query->walk, *at, d->window.taken,
                          r == WINDOW_TAKEN);
    *at += d->window.taken;
    if (r == WINDOW_TAKEN)
        d->mode = MODE_WINDOW;
    return r == WINDOW_TAKEN;
}

/* Go over [*at, end) to `enough` or behind it, or as far as possible; what is
 * left before `enough` is less than WAITING_MAX bytes. False: `fault`. */
static bool go_on(struct typed *d, const uint8_t **at, const uint8_t *enough,
                  const uint8_t *end, struct fault *fault)
{
    const uint8_t *wrong = *at;
    bool more = true;
    while (more && *at < enough) {
        if (d->mode == MODE_WINDOW)
            more = feed_window(d, at, end, &wrong);
        else if (d->mode == MODE_STRING)
            more = feed_string(d, at, end, &wrong);
        else if (!feed_scan(d, at, wrong, end, fault))
            return false;
    }
    return true;
}

/* --- Chunks. --- */

/* What has waited, with the first bytes of [*at, end) behind it, until none is
 * left or the chunk is used up. */
static bool feed_waiting(struct typed *d, const uint8_t **at,
                         const uint8_t *end, struct fault *fault)
{
    while (d->waiting > 0) {
        size_t n = (size_t)(end - *at);
        if (d->waiting + n < WAITING_MAX)
            return true;
        size_t following = d->waiting <= FOLLOWING_MAX - FOLLOWING_MIN
                               ? FOLLOWING_MAX - d->waiting
                               : FOLLOWING_MAX;
        if (following > n)
            following = n;
        memcpy(d->waiting_bytes + d->waiting, *at, following);
        const uint8_t *from = d->waiting_bytes;
        size_t all = d->waiting + following;
        if (!go_on(d, &from, from + d->waiting, from + all, fault))
            return false;
        size_t taken = (size_t)(from - d->waiting_bytes);
        if (taken >= d->waiting) {
            *at += taken - d->waiting;
            d->waiting = 0;
        } else {
            d->waiting = all - taken;
            memmove(d->waiting_bytes, from, d->waiting);
            *at += following;
        }
    }
    return true;
}

static bool enough_memory(const struct typed *d, struct fault *fault)
{
    bool is_short = d->query == NULL ? d->walk.short_of_memory
                                     : d->query->walk.short_of_memory;
    if (is_short)
        fault_memory(fault);
    return !is_short;
}

static bool feed_document(struct typed *d, const uint8_t *bytes, size_t n,
                          struct fault *fault)
{
    const uint8_t *at = bytes, *end = bytes + n;
    if (d->waiting > 0 && !feed_waiting(d, &at, end, fault))
        return false;
    bool go = end - at >= CHUNK_MIN || d->mode == MODE_SCAN;
    if (d->waiting == 0 && go && !go_on(d, &at, end, end, fault))
        return false;
    size_t left = (size_t)(end - at);
    if (left > 0)
        memcpy(d->waiting_bytes + d->waiting, at, left);
    d->waiting += left;
    return enough_memory(d, fault);
}

/* The document is complete, or scan says why not. */
static bool finish_scan(struct typed *d, const uint8_t *at, const uint8_t *end,
                        struct fault *fault)
{
    if (d->mode != MODE_SCAN)
        enter_scan(d);
    if (!feed_scan(d, &at, end + 1, end, fault))
        return false;
    if (scan_finish(&d->scan))
        return enough_memory(d, fault);
    scan_fault(&d->scan, fault);
    return false;
}

/* Take what is left of a document. False: `fault`. */
static bool end_document(struct typed *d, struct fault *fault)
{
    const uint8_t *at = d->waiting_bytes, *end = at + d->waiting;
    if (at < end && !go_on(d, &at, end, end, fault))
        return false;
    bool complete = at == end && d->mode == MODE_WINDOW &&
                    d->window.place.behind == WINDOW_BEHIND_ALL;
    if (!complete && !finish_scan(d, at, end, fault))
        return false;
    if (d->query != NULL)
        walk_tokens_end(&d->query->walk);
    return true;
}

/* --- Lines. --- */

static bool end_line(struct typed *d, struct fault *fault)
{
    const struct lines *l = &d->query->lines;
    return l->blank || end_document(d, fault) || lines_fail(l, fault);
}

static bool feed_lines(struct typed *d, const uint8_t *at, size_t n,
                       struct fault *fault)
{
    struct lines *l = &d->query->lines;
    const uint8_t *end = at + n;
    while (at < end) {
        const uint8_t *piece = at;
        bool ends = lines_take(l, &at, end, &n);
        if (!feed_document(d, piece, n, fault))
            return lines_fail(l, fault);
        if (!ends)
            break;
        if (!end_line(d, fault))
            return false;
        lines_next(l);
        begin_document(d);
        walk_state_line(&d->query->walk, l->number);
    }
    return true;
}

/* --- All of it. --- */

bool typed_feed(struct typed *d, const uint8_t *bytes, size_t n,
                struct fault *fault)
{
    return is_lines(d) ? feed_lines(d, bytes, n, fault)
                       : feed_document(d, bytes, n, fault);
}

bool typed_finish(struct typed *d, struct tally *t, struct fault *fault)
{
    if (is_lines(d) ? !end_line(d, fault) : !end_document(d, fault))
        return false;
    return d->query == NULL
               ? walk_finish(&d->walk, t, fault)
               : walk_state_finish(&d->query->walk, &d->query->result, fault);
}

const char *typed_text(const struct typed *d, size_t *n)
{
    *n = d->query == NULL ? 0 : d->query->result.len;
    return d->query == NULL ? NULL : d->query->result.data;
}
