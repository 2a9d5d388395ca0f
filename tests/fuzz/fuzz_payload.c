/* fuzz_payload: every decoder says the same of every body.
 *
 * A libFuzzer target (clang -fsanitize=fuzzer), with the mutations of mutate.c.
 * The first byte of the input chooses the settings and how many blanks stand
 * before each body, so that its bytes lie elsewhere in what a decoder looks at
 * in one go; the second how bodies are cut; the rest is bodies, with a byte
 * 0xff between two of them, since what a decoder remembers of one must not
 * change the next. Some of the first bytes make a query of what comes before
 * the first 0xff: `array`, `where`, the arguments of two results and a copy,
 * each up to a line feed; without an `array` a body is lines; what is no query
 * is left alone. Typed on every instruction set and json-c behind the scanner,
 * whole and cut: one answer. What they are fed ends where its memory does, so
 * that AddressSanitizer sees whoever reads past it. Decoders are new for each
 * input: the same input does the same. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/payload.h"
#include "decode/window.h"
#include "query/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BETWEEN_BODIES 0xff
#define BLANKS_MAX 8192
#define DECODERS_MAX (WINDOW_PATHS_MAX + 1)
#define TEXT_MAX 8192 /* of a result */

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

/* --- A query. --- */

#define QUERY_MAX 1000
#define QUERY_PARTS 5

static bool is_query(uint8_t settings)
{
    return settings / 16 == 5;
}

/* The lines of the text, as far as there are some. */
static void cut_lines(char *text, const char *lines[QUERY_PARTS])
{
    for (size_t i = 0; i < QUERY_PARTS; i++) {
        char *end = text + strcspn(text, "\n");
        lines[i] = text;
        text = *end == '\0' ? end : end + 1;
        *end = '\0';
    }
}

static bool compile(struct program *p, uint8_t settings, const char *from,
                    size_t n)
{
    char text[QUERY_MAX + 1];
    const char *lines[QUERY_PARTS];
    if (n > QUERY_MAX || memchr(from, '\0', n) != NULL)
        return false;
    memcpy(text, from, n);
    text[n] = '\0';
    cut_lines(text, lines);
    const struct query_member members[] = {{true, "copy", lines[4]},
                                           {false, "first", lines[2]},
                                           {false, "second", lines[3]},
                                           {false, "n", "count()"}};
    bool copies = *lines[4] != '\0';
    const struct query_settings s = {
        .array = lines[0],
        .where = lines[1],
        .members = members + !copies,
        .member_count = 3U + copies,
        .numbers = (settings & 1) != 0 ? PROGRAM_DOUBLE : PROGRAM_INT64,
        .strings = (settings & 2) != 0 ? PROGRAM_STRINGS_NUMBER
                                       : PROGRAM_STRINGS_REFUSE,
        .missing = (settings & 4) != 0 ? PROGRAM_SKIP : PROGRAM_REFUSE,
        .null = (settings & 8) != 0 ? PROGRAM_ZERO : PROGRAM_SKIP,
        .lines = *lines[0] == '\0'};
    struct query_error error;
    return query_compile(p, &s, &error);
}

static size_t open_query(struct decoder decoders[DECODERS_MAX],
                         const struct program *p)
{
    const struct window_path *paths[WINDOW_PATHS_MAX];
    size_t count = window_paths(paths);
    for (size_t i = 0; i <= count; i++) {
        struct payload *payload = payload_new_program(
            p, 64, i < count ? PAYLOAD_TYPED : PAYLOAD_JSONC);
        if (payload == NULL)
            abort();
        payload_choose_path(payload, i);
        decoders[i] =
            (struct decoder){i < count ? paths[i]->name : "json-c", payload};
    }
    return count + 1;
}

/* --- Bodies. --- */

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
    if (a.ok)
        a.text = payload_text(p, &a.text_len);
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

/* Its text, as long as others come. */
static void keep_text(struct payload_result *a)
{
    static char room[TEXT_MAX];
    if (a->text == NULL || a->text_len > sizeof room)
        return;
    memcpy(room, a->text, a->text_len);
    a->text = room;
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
        if (i == 0) {
            first = other;
            keep_text(&first);
        }
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
    struct program program = {.op_count = 0};
    if (size < 2)
        return 0;
    const uint8_t *at = data + 2, *end = data + size;
    size_t count = 0;
    if (is_query(data[0])) {
        const uint8_t *stop = memchr(at, BETWEEN_BODIES, (size_t)(end - at));
        if (stop == NULL ||
            !compile(&program, data[0], (const char *)at, (size_t)(stop - at)))
            return 0;
        at = stop + 1;
        count = open_query(decoders, &program);
    } else {
        count = open_decoders(decoders, data[0]);
    }
    random_state = data[1] + 1U;
    while (at <= end) {
        const uint8_t *stop = memchr(at, BETWEEN_BODIES, (size_t)(end - at));
        if (stop == NULL)
            stop = end;
        size_t before =
            is_query(data[0]) ? (data[1] / 8U) * 260U : blanks[data[0] / 16];
        check_body(decoders, count, at, (size_t)(stop - at), before,
                   most[data[1] % 8]);
        at = stop + 1;
    }
    for (size_t i = 0; i < count; i++)
        payload_free(&decoders[i].payload);
    program_free(&program);
    return 0;
}
