/* decode: the decoders side by side, in one process, in turns.
 *
 * usage: decode NAME=FILE...
 *        decode -o DECODER TIMES NAME=FILE...
 *
 * With -o, that decoder alone goes over each body so many times: for profilers.
 * Prints one JSON line per body and round:
 *   {"body":NAME,"bytes":N,"round":R,"ns":{DECODER:NS,...}}
 * with the time of one decode. Every decoder's sum is checked. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "decode/payload.h"

bool decode_simdjson(const char *bytes, size_t n, size_t room, int64_t *sum);
size_t simdjson_padding(void);
bool decode_serde(const char *bytes, size_t n, int64_t *sum);
bool decode_jsonc(const char *bytes, size_t n, int64_t *sum);

#define ROUNDS 3
#define ROUND_NS 60e6 /* about as long as one decoder runs in a round */
#define CHUNK 8192

struct body {
    const char *name;
    char *bytes;
    size_t n, room;
};

static struct payload *typed, *jsonc;

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static bool decode(struct payload *p, const struct body *b, size_t step,
                   int64_t *sum)
{
    struct fault fault;
    struct tally t;
    payload_begin(p);
    for (size_t at = 0; at < b->n; at += step) {
        size_t n = b->n - at < step ? b->n - at : step;
        if (!payload_feed(p, (const uint8_t *)b->bytes + at, n, &fault))
            return false;
    }
    if (!payload_finish(p, &t, &fault))
        return false;
    *sum = (int64_t)(t.exact * t.multiply);
    return true;
}

static bool run_typed(const struct body *b, int64_t *sum)
{
    return decode(typed, b, b->n, sum);
}

static bool run_chunked(const struct body *b, int64_t *sum)
{
    return decode(typed, b, CHUNK, sum);
}

static bool run_jsonc(const struct body *b, int64_t *sum)
{
    return decode(jsonc, b, b->n, sum);
}

static bool run_simdjson(const struct body *b, int64_t *sum)
{
    return decode_simdjson(b->bytes, b->n, b->room, sum);
}

static bool run_serde(const struct body *b, int64_t *sum)
{
    return decode_serde(b->bytes, b->n, sum);
}

static bool run_bare_jsonc(const struct body *b, int64_t *sum)
{
    return decode_jsonc(b->bytes, b->n, sum);
}

static const struct {
    const char *name;
    bool (*run)(const struct body *b, int64_t *sum);
} decoders[] = {
    {"tallyd", run_typed},         {"tallyd-8k", run_chunked},
    {"simdjson", run_simdjson},    {"serde_json", run_serde},
    {"decoder=json-c", run_jsonc}, {"json-c alone", run_bare_jsonc},
};
#define DECODERS (sizeof decoders / sizeof decoders[0])

static void read_body(struct body *b, char *argument)
{
    char *path = strchr(argument, '=');
    FILE *f = path == NULL ? NULL : fopen(path + 1, "rb");
    if (f == NULL) {
        fprintf(stderr, "decode: %s: no such body\n", argument);
        exit(2);
    }
    *path = '\0';
    b->name = argument;
    fseek(f, 0, SEEK_END);
    b->n = (size_t)ftell(f);
    b->room = b->n + simdjson_padding();
    b->bytes = calloc(1, b->room);
    rewind(f);
    if (fread(b->bytes, 1, b->n, f) != b->n)
        exit(2);
    fclose(f);
}

/* Nanoseconds for one decode, from as many as fill the round. */
static double measure(size_t d, const struct body *b)
{
    int64_t sum;
    double began = now_ns(), passed;
    unsigned long n = 0;
    do {
        if (!decoders[d].run(b, &sum))
            exit(3);
        n++;
        passed = now_ns() - began;
    } while (passed < ROUND_NS);
    return passed / (double)n;
}

static void check(const struct body *b)
{
    int64_t first = 0, sum = 0;
    for (size_t d = 0; d < DECODERS; d++) {
        if (!decoders[d].run(b, &sum) || (d > 0 && sum != first)) {
            fprintf(stderr, "decode: %s: %s differs\n", b->name,
                    decoders[d].name);
            exit(3);
        }
        first = sum;
    }
}

static void repeat(const char *decoder, long times, const struct body *b)
{
    int64_t sum;
    for (size_t d = 0; d < DECODERS; d++)
        for (long i = 0; strcmp(decoders[d].name, decoder) == 0 && i < times;
             i++)
            decoders[d].run(b, &sum);
}

int main(int argc, char **argv)
{
    bool only = argc > 3 && strcmp(argv[1], "-o") == 0;
    const struct shape shape = {.array = "items",
                                .field = "value",
                                .numbers = TALLY_INT64,
                                .multiply = 2,
                                .max_depth = 1024};
    typed = payload_new(&shape, PAYLOAD_TYPED);
    jsonc = payload_new(&shape, PAYLOAD_JSONC);
    for (int i = only ? 4 : 1; i < argc; i++) {
        struct body b;
        read_body(&b, argv[i]);
        if (only) {
            repeat(argv[2], atol(argv[3]), &b);
            free(b.bytes);
            continue;
        }
        check(&b);
        for (int r = 0; r < ROUNDS; r++) {
            printf("{\"body\":\"%s\",\"bytes\":%zu,\"round\":%d,\"ns\":{",
                   b.name, b.n, r);
            for (size_t d = 0; d < DECODERS; d++)
                printf("%s\"%s\":%.1f", d == 0 ? "" : ",", decoders[d].name,
                       measure(d, &b));
            puts("}}");
            fflush(stdout);
        }
        free(b.bytes);
    }
    payload_free(&typed);
    payload_free(&jsonc);
    return 0;
}
