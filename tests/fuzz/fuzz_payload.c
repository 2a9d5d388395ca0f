/* fuzz_payload: every decoder says the same of every body.
 *
 * A libFuzzer target (clang -fsanitize=fuzzer). The first byte of the input
 * chooses the settings, the second how the body is cut; the rest is the body.
 * Typed, whole, on every instruction set; typed, in pieces; json-c behind the
 * scanner, whole and in pieces: one answer. The body ends where its memory
 * does, so that AddressSanitizer sees whoever reads past it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/payload.h"
#include "domain/skim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DECODERS 2
#define SETTINGS 4

static struct payload *decoders[SETTINGS][DECODERS];

static void open_decoders(void)
{
    for (int i = 0; i < SETTINGS; i++)
        for (int d = 0; d < DECODERS; d++) {
            const struct shape shape = {
                .array = "items",
                .field = "value",
                .numbers = i % 2 == 0 ? TALLY_INT64 : TALLY_DOUBLE,
                .multiply = 2,
                .max_depth = i < 2 ? 64 : 5,
            };
            decoders[i][d] =
                payload_new(&shape, d == 0 ? PAYLOAD_TYPED : PAYLOAD_JSONC);
            if (decoders[i][d] == NULL)
                abort();
        }
}

/* Decode in pieces of `step` bytes, each in memory of its own. 0: whole. */
static struct payload_answer decode(struct payload *p, const uint8_t *body,
                                    size_t n, size_t step)
{
    struct payload_answer a = {.ok = true};
    payload_begin(p);
    for (size_t at = 0; at < n && a.ok;) {
        size_t take = step == 0 || step > n - at ? n - at : step;
        uint8_t *piece = malloc(take);
        memcpy(piece, body + at, take);
        a.ok = payload_feed(p, piece, take, &a.fault);
        free(piece);
        at += take;
    }
    a.ok = a.ok && payload_finish(p, &a.tally, &a.fault);
    return a;
}

static void expect_same(const struct payload_answer *first,
                        const struct payload_answer *other, const char *who)
{
    char room[300];
    struct buf words;
    buf_init(&words, room, sizeof room);
    if (payload_same(first, other, &words))
        return;
    fprintf(stderr, "%s: %s\n", who, room);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (decoders[0][0] == NULL)
        open_decoders();
    if (size < 2)
        return 0;
    struct payload **pair = decoders[data[0] % SETTINGS];
    size_t step = 1 + data[1] % 40;
    const uint8_t *body = data + 2;
    size_t n = size - 2;
    struct skim_path paths[SKIM_PATHS_MAX];
    size_t path_count = skim_paths(paths);

    payload_choose_path(pair[0], path_count - 1);
    struct payload_answer first = decode(pair[0], body, n, 0), other;
    for (size_t i = 0; i + 1 < path_count; i++) {
        payload_choose_path(pair[0], i);
        other = decode(pair[0], body, n, 0);
        expect_same(&first, &other, paths[i].name);
        other = decode(pair[0], body, n, step);
        expect_same(&first, &other, "in pieces");
    }
    other = decode(pair[1], body, n, 0);
    expect_same(&first, &other, "json-c");
    other = decode(pair[1], body, n, step);
    expect_same(&first, &other, "json-c, in pieces");
    return 0;
}
