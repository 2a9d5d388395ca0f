/* bodies: bodies that a test puts together, and what every decoder has to say
 * of them: a fault where decode/scan has one, else what json-c's side says. */
#ifndef TALLYD_TESTS_BODIES_H
#define TALLYD_TESTS_BODIES_H

#include "answers.h"
#include "body.h"
#include "decode/scan.h"

/* xorshift64 (Marsaglia, 2003), the same in every run. */
static inline uint32_t bodies_below(uint32_t n)
{
    static uint64_t state = 1;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 32) * n >> 32);
}

/* Readers in both modes of numbers, for one depth. */
struct bodies {
    struct reader readers[2][READERS_MAX];
    size_t count;
    uint32_t max_depth;
};

static inline void bodies_open(struct bodies *s, uint32_t max_depth)
{
    s->max_depth = max_depth;
    for (int mode = 0; mode < 2; mode++) {
        const struct shape shape = {"items", "value",
                                    mode == 0 ? TALLY_INT64 : TALLY_DOUBLE, 2,
                                    max_depth};
        s->count = answers_open(s->readers[mode], &shape, BODY_MAX);
    }
}

static inline void bodies_close(struct bodies *s)
{
    for (int mode = 0; mode < 2; mode++)
        answers_close(s->readers[mode], s->count);
}

/* True: the grammar takes the body. False: `fault` is what it has against it.
 */
static inline bool bodies_scan(const struct bodies *s, const struct body *b,
                               struct fault *fault)
{
    struct scan scan;
    struct scan_text text;
    const uint8_t *at = (const uint8_t *)b->bytes, *end = at + b->n;
    enum scan_token token;
    scan_begin(&scan, s->max_depth);
    do
        token = scan_next(&scan, &at, end, &text);
    while (token != SCAN_MORE && token != SCAN_FAULT);
    bool whole = token == SCAN_MORE && scan_finish(&scan);
    if (!whole)
        scan_fault(&scan, fault);
    return whole;
}

static inline void bodies_differ(const struct reader *r, const struct body *b,
                                 size_t first, size_t step,
                                 const struct payload_result *wanted,
                                 const struct payload_result *got)
{
    char texts[2][300];
    answers_put(texts[0], sizeof texts[0], wanted);
    answers_put(texts[1], sizeof texts[1], got);
    ck_abort_msg("%s, in %zu and %zus: %.*s: wanted \"%s\", got \"%s\"",
                 r->name, first, step, (int)b->n, b->bytes, texts[0], texts[1]);
}

/* One reader, in a first piece and others of `step`. */
static inline void bodies_check_cut(const struct reader *r,
                                    const struct body *b,
                                    const struct payload_result *wanted,
                                    size_t first, size_t step)
{
    char room[300];
    struct buf words;
    struct payload_result got = answers_decode(r, b->bytes, b->n, first, step);
    buf_init(&words, room, sizeof room);
    if (!payload_same(wanted, &got, &words) ||
        (!got.ok && got.fault.what == OUTCOME_malformed_json &&
         (got.fault.line != wanted->fault.line ||
          got.fault.column != wanted->fault.column)))
        bodies_differ(r, b, first, step, wanted, &got);
}

/* Every reader of both modes, whole and in pieces; gives whether it is JSON. */
static inline bool bodies_check(const struct bodies *s, const struct body *b,
                                size_t first, size_t step)
{
    struct payload_result wanted = {.ok = false};
    bool whole = bodies_scan(s, b, &wanted.fault);
    for (int mode = 0; mode < 2; mode++) {
        const struct reader *readers = s->readers[mode];
        if (whole)
            wanted = answers_decode(&readers[s->count - 1], b->bytes, b->n, 0,
                                    b->n + 1);
        if (whole && !wanted.ok && wanted.fault.what == OUTCOME_malformed_json)
            ck_abort_msg("json-c refuses %.*s", (int)b->n, b->bytes);
        for (size_t i = 0; i < s->count; i++) {
            bodies_check_cut(&readers[i], b, &wanted, 0, b->n + 1);
            if (first > 0 || step > 0)
                bodies_check_cut(&readers[i], b, &wanted, first,
                                 step > 0 ? step : b->n + 1);
        }
    }
    return whole;
}

#endif
