#include "decoders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/inflate.h"
#include "decode/payload.h"
#include "decode/window.h"
#include "gzip.h"
#include "query/query.h"
#include "verified.h"

#define CHUNK 8192

static struct payload *typed, *jsonc;
static struct inflate *inflating;
static struct program program;
static bool is_query;

static bool finish(struct payload *p, uint64_t *sum)
{
    struct fault fault;
    struct tally t;
    size_t n;
    if (!payload_finish(p, &t, &fault))
        return false;
    if (is_query) { /* {"total":N} */
        *sum = (uint64_t)strtoll(payload_text(p, &n) + sizeof "{\"total\"",
                                 NULL, 10);
        return true;
    }
    *sum = (uint64_t)t.exact * 2;
    if (t.numbers == TALLY_DOUBLE)
        memcpy(sum, &t.approx, sizeof *sum);
    return true;
}

static bool decode(struct payload *p, const char *bytes, size_t n, size_t step,
                   uint64_t *sum)
{
    struct fault fault;
    payload_begin(p);
    for (size_t at = 0; at < n; at += step) {
        size_t some = n - at < step ? n - at : step;
        if (!payload_feed(p, (const uint8_t *)bytes + at, some, &fault))
            return false;
    }
    return finish(p, sum);
}

static bool run_whole(const struct query *q, const char *bytes, size_t n,
                      uint64_t *sum)
{
    (void)q;
    return decode(typed, bytes, n, n, sum);
}

static bool run_chunks(const struct query *q, const char *bytes, size_t n,
                       uint64_t *sum)
{
    (void)q;
    return decode(typed, bytes, n, CHUNK, sum);
}

static bool run_gate(const struct query *q, const char *bytes, size_t n,
                     uint64_t *sum)
{
    (void)q;
    return decode(jsonc, bytes, n, n, sum);
}

/* As a worker takes a compressed body. */
static bool inflate_into(struct payload *p, const char *bytes, size_t n,
                         uint64_t *sum)
{
    const uint8_t *at = (const uint8_t *)bytes, *end = at + n, *piece;
    const char *why;
    struct fault fault;
    enum inflate_state state;
    payload_begin(p);
    if (!inflate_begin(inflating, INFLATE_GZIP))
        return false;
    while ((state = inflate_next(inflating, &at, end, &piece, &n, &why)) ==
           INFLATE_PART)
        if (!payload_feed(p, piece, n, &fault))
            return false;
    return state == INFLATE_TAKEN && inflate_finish(inflating, &why) &&
           finish(p, sum);
}

static bool run_inflating(const struct query *q, const char *bytes, size_t n,
                          uint64_t *sum)
{
    (void)q;
    return inflate_into(typed, bytes, n, sum);
}

static bool run_inflated(const struct query *q, const char *bytes, size_t n,
                         uint64_t *sum)
{
    (void)q;
    const char *all = gzip_inflate(bytes, n, &n);
    return all != NULL && decode(typed, all, n, n, sum);
}

static bool run_gzip_gate(const struct query *q, const char *bytes, size_t n,
                          uint64_t *sum)
{
    (void)q;
    return inflate_into(jsonc, bytes, n, sum);
}

/* Of compressed bodies: tallyd, and zlib's inflate of all of a body before its
 * decoder. */
static const struct decoder of_gzip[] = {
    {"tallyd", run_inflating, false},
    {"zlib_and_tallyd", run_inflated, false},
    {"json_c_checked", run_gzip_gate, true},
};

static const struct decoder of_field[] = {
    {"tallyd", run_whole, false},
    {"tallyd_8k", run_chunks, false},
    {"simdjson_ondemand", decode_ondemand, false},
    {"simdjson_dom", decode_dom, false},
    {"rapidjson", decode_rapidjson, false},
    {"serde_json", decode_serde, false},
    {"json_c", decode_jsonc, true},
    {"tallyd_verify", decode_verified, true},
    {"json_c_checked", run_gate, true},
};

static const struct decoder of_query[] = {
    {"tallyd", run_whole, false},
    {"tallyd_8k", run_chunks, false},
    {"simdjson_ondemand", query_ondemand, false},
    {"simdjson_dom", query_dom, false},
    {"serde_json", query_serde, false},
    {"json_c_checked", run_gate, true},
};

const struct decoder *decoders = of_field;
size_t decoder_count = DECODERS;

const struct decoder *decoder_named(const char *name)
{
    for (size_t d = 0; d < decoder_count; d++)
        if (strcmp(decoders[d].name, name) == 0)
            return &decoders[d];
    fprintf(stderr, "decode: there is no decoder %s\n", name);
    exit(2);
}

/* Take the path of that name, or leave it to tallyd when it is NULL, and give
 * the name of the path that runs. */
static const char *choose_isa(const char *name)
{
    static const struct window_path *paths[WINDOW_PATHS_MAX];
    size_t n = window_paths(paths);
    for (size_t i = 0; i < n; i++)
        if (name == NULL || strcmp(paths[i]->name, name) == 0) {
            payload_choose_path(typed, i);
            return paths[i]->name;
        }
    fprintf(stderr, "decode: tallyd has no path %s here\n", name);
    exit(2);
}

/* Both decoders of the query. */
static void open_query(void)
{
    const struct query_member total = {false, "total",
                                       "sum(@.price.amount * @.quantity)"};
    const struct query_settings settings = {.array = "$.order.lines",
                                            .where = "@.status == \"paid\"",
                                            .members = &total,
                                            .member_count = 1};
    struct query_error error;
    if (!query_compile(&program, &settings, &error)) {
        fprintf(stderr, "decode: %s\n", error.message);
        exit(2);
    }
    typed = payload_new_program(&program, PEERS_DEPTH, PAYLOAD_TYPED);
    jsonc = payload_new_program(&program, PEERS_DEPTH, PAYLOAD_JSONC);
    is_query = true;
    decoders = of_query;
    decoder_count = sizeof of_query / sizeof of_query[0];
}

void decoders_take_gzip(void)
{
    inflating = inflate_new();
    decoders = of_gzip;
    decoder_count = sizeof of_gzip / sizeof of_gzip[0];
}

const char *decoders_open(struct query *q, bool query, const char *isa)
{
    const struct shape shape = {.array = q->array,
                                .field = q->field,
                                .numbers =
                                    q->doubles ? TALLY_DOUBLE : TALLY_INT64,
                                .multiply = 2,
                                .max_depth = PEERS_DEPTH};
    q->array_n = strlen(q->array);
    q->field_n = strlen(q->field);
    if (query) {
        open_query();
        return choose_isa(isa);
    }
    typed = payload_new(&shape, PAYLOAD_TYPED);
    jsonc = payload_new(&shape, PAYLOAD_JSONC);
    verified_open(q);
    return choose_isa(isa);
}

void decoders_close(void)
{
    payload_free(&typed);
    payload_free(&jsonc);
    verified_close();
    inflate_free(&inflating);
    program_free(&program);
}
