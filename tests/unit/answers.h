/* answers: what every decoder says of a body, on every instruction set and
 * however the body is cut. For the tests of decode/payload.
 *
 * Every piece is fed from the end of readable memory: who reads past it
 * crashes. */
#ifndef TALLYD_TESTS_ANSWERS_H
#define TALLYD_TESTS_ANSWERS_H

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/outcome.h"
#include "decode/payload.h"
#include "decode/window.h"
#include "unit.h"

#define MALFORMED "malformed_json "

/* What is expected of a body: "SUM", "no result", "malformed_json OFFSET" or
 * "wrong_shape POINTER". */
struct vector {
    const char *body;
    const char *answer;
};

/* The decoder under test: typed on one path after the other, then json-c. */
struct reader {
    struct payload *payload;
    const char *name;
    uint8_t *page_end; /* what follows it is not mapped */
};

#define READERS_MAX (WINDOW_PATHS_MAX + 1)

/* The end of `size` readable bytes at least. */
static inline uint8_t *answers_page_end(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t room = (size + page - 1) / page * page;
    uint8_t *start = mmap(NULL, room + page, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(start, MAP_FAILED);
    ck_assert_int_eq(mprotect(start + room, page, PROT_NONE), 0);
    return start + room;
}

/* Open one reader per path and one for json-c; gives their number. Pieces are
 * at most `size` bytes long. */
static inline size_t answers_open(struct reader readers[READERS_MAX],
                                  const struct shape *shape, size_t size)
{
    const struct window_path *paths[WINDOW_PATHS_MAX];
    size_t count = window_paths(paths);
    uint8_t *page_end = answers_page_end(size);
    for (size_t i = 0; i <= count; i++) {
        bool typed = i < count;
        struct payload *p =
            payload_new(shape, typed ? PAYLOAD_TYPED : PAYLOAD_JSONC);
        ck_assert_ptr_nonnull(p);
        payload_choose_path(p, i);
        readers[i] =
            (struct reader){p, typed ? paths[i]->name : "json-c", page_end};
    }
    return count + 1;
}

static inline void answers_close(struct reader *readers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        payload_free(&readers[i].payload);
}

/* Decode in pieces of `step` bytes, the first of `first` if that is not 0. */
static inline struct payload_result answers_decode(const struct reader *r,
                                                   const char *body, size_t n,
                                                   size_t first, size_t step)
{
    struct payload_result a = {.ok = true};
    payload_begin(r->payload);
    for (size_t at = 0; at < n && a.ok;) {
        size_t take = at == 0 && first > 0 ? first : step;
        if (take > n - at)
            take = n - at;
        uint8_t *piece = r->page_end - take;
        memcpy(piece, body + at, take);
        a.ok = payload_feed(r->payload, piece, take, &a.fault);
        at += take;
    }
    a.ok = a.ok && payload_finish(r->payload, &a.tally, &a.fault);
    return a;
}

/* The answer as the vectors write it. */
static inline void answers_put(char *out, size_t room,
                               const struct payload_result *a)
{
    char text[TALLY_TEXT_MAX];
    size_t n = a->ok ? tally_print(&a->tally, text) : 0;
    if (a->ok && n > 0)
        snprintf(out, room, "%.*s", (int)n, text);
    else if (a->ok)
        snprintf(out, room, "no result");
    else if (a->fault.what == OUTCOME_malformed_json)
        snprintf(out, room, MALFORMED "%llu",
                 (unsigned long long)a->fault.offset);
    else
        snprintf(out, room, "%s %s", outcome_name(a->fault.what),
                 a->fault.pointer);
}

/* Line and column follow from the offset. */
static inline void answers_check_place(const struct fault *f, const char *body)
{
    uint64_t line = 1, column = 1;
    for (uint64_t i = 0; i < f->offset; i++) {
        column = body[i] == '\n' ? 1 : column + 1;
        line += body[i] == '\n';
    }
    if (f->line != line || f->column != column || f->reason[0] == '\0')
        ck_abort_msg("%s, at %llu:%llu: %s", body, (unsigned long long)f->line,
                     (unsigned long long)f->column, f->reason);
}

static inline void answers_check_cut(const struct reader *r, const char *body,
                                     size_t n, const char *answer, size_t first,
                                     size_t step)
{
    char got[300];
    struct payload_result a = answers_decode(r, body, n, first, step);
    answers_put(got, sizeof got, &a);
    if (strcmp(got, answer) != 0)
        ck_abort_msg("%s, in %zu and %zus: %.*s: wanted \"%s\", got \"%s\"",
                     r->name, first, step, (int)n, body, answer, got);
    if (!a.ok && a.fault.what == OUTCOME_malformed_json)
        answers_check_place(&a.fault, body);
}

/* One answer: whole, cut in two at every byte, in pieces of 1 to 8 bytes. */
static inline void answers_check(const struct reader *r, const char *body,
                                 size_t n, const char *answer)
{
    for (size_t first = 0; first < n || first == 0; first++)
        answers_check_cut(r, body, n, answer, first, n + 1);
    for (size_t step = 1; step < 9; step++)
        answers_check_cut(r, body, n, answer, 0, step);
}

/* Check every vector with every reader. */
static inline void answers_check_all(const struct shape *shape,
                                     const struct vector *vectors, size_t count)
{
    struct reader readers[READERS_MAX];
    size_t reader_count = answers_open(readers, shape, 65536);
    for (size_t i = 0; i < reader_count; i++)
        for (size_t v = 0; v < count; v++)
            answers_check(&readers[i], vectors[v].body, strlen(vectors[v].body),
                          vectors[v].answer);
    answers_close(readers, reader_count);
}

#endif
