/* fuzz_payload: every decoder says the same of every body.
 *
 * A libFuzzer target (clang -fsanitize=fuzzer), with the mutations of mutate.c.
 * The first byte of the input chooses the settings and how many blanks stand
 * before each body, so that its bytes lie elsewhere in what a decoder looks at
 * in one go; the second how bodies are cut; the rest is bodies, with a byte
 * 0xff between two of them, since what a decoder remembers of one must not
 * change the next. Typed on every instruction set and json-c behind the
 * scanner, whole and cut: one answer. What they are fed ends where its memory
 * does, so that AddressSanitizer sees whoever reads past it. Decoders are new
 * for each input: the same input does the same. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/payload.h"
#include "decode/window.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BETWEEN_BODIES 0xff
#define BLANKS_MAX 8192
#define DECODERS_MAX (WINDOW_PATHS_MAX + 1)

struct decoder {
    const char *name;
    struct payload *payload;
};

static size_t open_decoders(struct decoder decoders[DECODERS_MAX],
                            uint8_t settings)
{
    static const uint32_t depths[] = {64, 5, 3, 4, 8, 16, 33, 1024};
    const struct window_path *paths[WINDOW_PATHS_MAX];
    size_t count = window_paths(paths);
    const struct shape shape = {
        .array = "items",
        .field = "value",
        .numbers = settings % 2 == 0 ? TALLY_INT64 : TALLY_DOUBLE,
        .multiply = 2,
        .max_depth = depths[settings / 2 % 8],
    };
    for (size_t i = 0; i <= count; i++) {
        struct payload *p =
            payload_new(&shape, i < count ? PAYLOAD_TYPED : PAYLOAD_JSONC);
        if (p == NULL)
            abort();
        payload_choose_path(p, i);
        decoders[i] =
            (struct decoder){i < count ? paths[i]->name : "json-c", p};
    }
    return count + 1;
}

static uint32_t random_state;

/* xorshift32 (Marsaglia, 2003). */
static uint32_t random_below(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state % n;
}

/* Decode in pieces of up to `most` bytes, each in memory of its own; whole, if
 * `most` is 0. */
static struct payload_result decode(struct payload *p, const uint8_t *body,
                                    size_t n, uint32_t most)
{
    struct payload_result a = {.ok = true};
    payload_begin(p);
    for (size_t at = 0; at < n && a.ok;) {
        size_t take = most == 0 ? n : 1 + random_below(most);
        if (take > n - at)
            take = n - at;
        uint8_t *piece = malloc(take);
        memcpy(piece, body + at, take);
        a.ok = payload_feed(p, piece, take, &a.fault);
        free(piece);
        at += take;
    }
    a.ok = a.ok && payload_finish(p, &a.tally, &a.fault);
    return a;
}

static void expect_same(const struct payload_result *first,
                        const struct payload_result *other, const char *who)
{
    char room[300];
    struct buf words;
    buf_init(&words, room, sizeof room);
    bool same_place = first->ok || other->ok ||
                      first->fault.what != OUTCOME_malformed_json ||
                      (first->fault.line == other->fault.line &&
                       first->fault.column == other->fault.column);
    if (payload_same(first, other, &words) && same_place)
        return;
    fprintf(stderr, "%s: %s\n", who, room);
    abort();
}

/* One body: cold, cut, and once more with what is remembered of it. */
static void check_body(const struct decoder *decoders, size_t count,
                       const uint8_t *text, size_t text_n, size_t blanks,
                       uint32_t most)
{
    struct payload_result first = {.ok = false}, other;
    size_t n = blanks + text_n;
    uint8_t *body = malloc(n + 1);
    memset(body, ' ', blanks);
    memcpy(body + blanks, text, text_n);
    for (size_t i = 0; i < count; i++) {
        other = decode(decoders[i].payload, body, n, 0);
        if (i == 0)
            first = other;
        expect_same(&first, &other, decoders[i].name);
        other = decode(decoders[i].payload, body, n, most);
        expect_same(&first, &other, "in pieces");
        other = decode(decoders[i].payload, body, n, 0);
        expect_same(&first, &other, "again");
    }
    free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t most[] = {1, 3, 8, 20, 40, 100, 400, 1500};
    static const size_t blanks[] = {0,    0,    0,    0,         0,    0,
                                    20,   63,   64,   1000,      2030, 3900,
                                    4060, 4090, 8100, BLANKS_MAX};
    struct decoder decoders[DECODERS_MAX];
    if (size < 2)
        return 0;
    size_t count = open_decoders(decoders, data[0]);
    random_state = data[1] + 1U;
    for (const uint8_t *at = data + 2, *end = data + size; at <= end;) {
        const uint8_t *stop = memchr(at, BETWEEN_BODIES, (size_t)(end - at));
        if (stop == NULL)
            stop = end;
        check_body(decoders, count, at, (size_t)(stop - at),
                   blanks[data[0] / 16], most[data[1] % 8]);
        at = stop + 1;
    }
    for (size_t i = 0; i < count; i++)
        payload_free(&decoders[i].payload);
    return 0;
}
