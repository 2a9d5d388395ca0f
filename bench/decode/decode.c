/* decode: the decoders side by side, in one process, in turns.
 *
 * usage: decode [OPTION]... FILE...
 *   --array A, --field F   what is added up (items, value)
 *   --doubles              as doubles, not as integers
 *   --isa NAME             tallyd takes that path (the peers are built for it)
 *   --rounds N             how many rounds (3)
 *   --round-ms N           how long a decoder runs in a round (15)
 *   --cold                 caches are emptied before each decode
 *   --beside FILE          how much slower others get when every tenth body
 *                          is that one
 *   --one NAME --times N   only that decoder, so many times: for profilers
 *
 * A FILE is one body, or several that are gone over in turn (see bodies.h).
 * Prints a JSON line for each and round: {"file":..., "bytes":N, "bodies":N,
 * "isa":{...}, "differ":[...], "ns":{DECODER: NS}}, with the time of all bodies
 * once. "differ" has the decoders that refuse a body or find another sum than
 * json-c behind tallyd's check. Every sum is compared each time.
 *
 * Times are the CPU time of the process: others use the machine, too. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bodies.h"
#include "decode/payload.h"
#include "decode/skim.h"
#include "peers.h"

#define CHUNK 8192
#define BATCH_NS 1e6           /* the clock is asked about as often */
#define EVICT_BYTES (96 << 20) /* more than a last-level cache holds */

static struct payload *typed, *jsonc;

static double now_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* --- The decoders. --- */

static bool decode(struct payload *p, const char *bytes, size_t n, size_t step,
                   uint64_t *sum)
{
    struct fault fault;
    struct tally t;
    payload_begin(p);
    for (size_t at = 0; at < n; at += step) {
        size_t some = n - at < step ? n - at : step;
        if (!payload_feed(p, (const uint8_t *)bytes + at, some, &fault))
            return false;
    }
    if (!payload_finish(p, &t, &fault))
        return false;
    *sum = (uint64_t)t.exact * 2;
    if (t.numbers == TALLY_DOUBLE)
        memcpy(sum, &t.approx, sizeof *sum);
    return true;
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

/* The slow ones run in the first round only. */
static const struct decoder {
    const char *name;
    peer_function *run;
    bool slow;
} decoders[] = {
    {"tallyd", run_whole, false},
    {"tallyd_8k", run_chunks, false},
    {"simdjson_ondemand", decode_ondemand, false},
    {"simdjson_dom", decode_dom, false},
    {"rapidjson", decode_rapidjson, false},
    {"serde_json", decode_serde, false},
    {"json_c", decode_jsonc, true},
    {"json_c_checked", run_gate, true},
};
#define DECODERS (sizeof decoders / sizeof decoders[0])

static const struct decoder *decoder_named(const char *name)
{
    for (size_t d = 0; d < DECODERS; d++)
        if (strcmp(decoders[d].name, name) == 0)
            return &decoders[d];
    fprintf(stderr, "decode: there is no decoder %s\n", name);
    exit(2);
}

/* Take the path of that name, or leave it to tallyd when it is NULL, and give
 * the name of the path that runs. */
static const char *choose_isa(const char *name)
{
    static struct skim_path paths[SKIM_PATHS_MAX];
    size_t n = skim_paths(paths);
    for (size_t i = 0; i < n; i++)
        if (name == NULL || strcmp(paths[i].name, name) == 0) {
            payload_choose_path(typed, i);
            return paths[i].name;
        }
    fprintf(stderr, "decode: tallyd has no path %s here\n", name);
    exit(2);
}

/* --- One round. --- */

struct run {
    struct query query;
    int rounds;
    double round_ns;
    bool cold;
    const char *isa;
    bool differs[DECODERS];
};

/* Go over all bodies once. False: a sum is not what it has to be. */
static bool pass(const struct decoder *d, const struct query *q,
                 const struct bodies *b)
{
    bool same = true;
    for (size_t i = 0; i < b->count; i++) {
        uint64_t sum = 0;
        same = d->run(q, b->all[i].bytes, b->all[i].n, &sum) &&
               sum == b->all[i].sum && same;
    }
    return same;
}

static void need_same(bool same, const struct decoder *d)
{
    if (same)
        return;
    fprintf(stderr, "decode: %s found another sum than before\n", d->name);
    exit(3);
}

/* Nanoseconds for all bodies once, from as many passes as fill the round. */
static double measure_warm(const struct run *r, const struct decoder *d,
                           const struct bodies *b)
{
    const clockid_t clock = CLOCK_PROCESS_CPUTIME_ID;
    unsigned long passes = 0, batch = 1;
    double began = now_ns(clock), passed;
    do {
        for (unsigned long i = 0; i < batch; i++)
            need_same(pass(d, &r->query, b), d);
        passes += batch;
        passed = now_ns(clock) - began;
        if (passed < BATCH_NS)
            batch *= 2;
    } while (passed < r->round_ns);
    return passed / (double)passes;
}

/* Walk over so much memory that nothing else is left in the caches. */
static void evict(void)
{
    static volatile char *memory;
    if (memory == NULL)
        memory = calloc(1, EVICT_BYTES);
    for (size_t i = 0; i < EVICT_BYTES; i += 64)
        memory[i]++;
}

static double measure_cold(const struct run *r, const struct decoder *d,
                           const struct bodies *b)
{
    evict();
    double began = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    need_same(pass(d, &r->query, b), d);
    return now_ns(CLOCK_PROCESS_CPUTIME_ID) - began;
}

/* The sums are those of json-c behind tallyd's check. False: it refuses. */
static bool find_sums(struct run *r, struct bodies *b)
{
    for (size_t i = 0; i < b->count; i++)
        if (!run_gate(&r->query, b->all[i].bytes, b->all[i].n, &b->all[i].sum))
            return false;
    for (size_t d = 0; d < DECODERS; d++)
        r->differs[d] = !pass(&decoders[d], &r->query, b);
    return true;
}

/* Of all bodies, as Node can tell it. */
static double sum_of(const struct run *r, const struct bodies *b)
{
    double all = 0;
    for (size_t i = 0; i < b->count; i++) {
        double one = (double)(int64_t)b->all[i].sum;
        if (r->query.doubles)
            memcpy(&one, &b->all[i].sum, sizeof one);
        all = all + one;
    }
    return all;
}

static void print_head(const struct run *r, const struct bodies *b,
                       const char *path)
{
    const char *comma = "";
    printf("{\"file\":\"%s\",\"bytes\":%zu,\"bodies\":%zu,\"sum\":%.17g,"
           "\"isa\":{\"tallyd\":\"%s\",\"simdjson_dom\":\"%s\","
           "\"simdjson_ondemand\":\"%s\"},\"differ\":[",
           path, b->bytes, b->count, sum_of(r, b), r->isa, peers_simdjson_dom(),
           peers_simdjson_ondemand());
    for (size_t d = 0; d < DECODERS; d++)
        if (r->differs[d]) {
            printf("%s\"%s\"", comma, decoders[d].name);
            comma = ",";
        }
    printf("],\"ns\":{");
}

/* Each round begins with another decoder. */
static void print_round(const struct run *r, const struct bodies *b,
                        const char *path, int round)
{
    const char *comma = "";
    print_head(r, b, path);
    for (size_t i = 0; i < DECODERS; i++) {
        size_t at = (i + (size_t)round) % DECODERS;
        const struct decoder *d = &decoders[at];
        if (r->differs[at] || (d->slow && (r->cold || round > 0)))
            continue;
        printf("%s\"%s\":%.1f", comma, d->name,
               r->cold ? measure_cold(r, d, b) : measure_warm(r, d, b));
        comma = ",";
    }
    puts("}}");
    fflush(stdout);
}

static void compare(struct run *r, const char *path)
{
    struct bodies b;
    bodies_read(&b, path);
    if (!find_sums(r, &b)) {
        fprintf(stderr, "decode: %s: a body is refused\n", path);
        exit(3);
    }
    for (int round = 0; round < r->rounds; round++)
        print_round(r, &b, path, round);
    bodies_free(&b);
}

/* --- What it takes is told by the options. --- */

static void repeat(const struct run *r, const char *name, long times,
                   const char *path)
{
    const struct decoder *d = decoder_named(name);
    struct bodies b;
    bodies_read(&b, path);
    for (long i = 0; i < times; i++)
        for (size_t k = 0; k < b.count; k++)
            d->run(&r->query, b.all[k].bytes, b.all[k].n, &b.all[k].sum);
    bodies_free(&b);
}

static void open_tallyd(struct run *r, const char *isa)
{
    const struct shape shape = {.array = r->query.array,
                                .field = r->query.field,
                                .numbers = r->query.doubles ? TALLY_DOUBLE
                                                            : TALLY_INT64,
                                .multiply = 2,
                                .max_depth = PEERS_DEPTH};
    r->query.array_n = strlen(shape.array);
    r->query.field_n = strlen(shape.field);
    typed = payload_new(&shape, PAYLOAD_TYPED);
    jsonc = payload_new(&shape, PAYLOAD_JSONC);
    r->isa = choose_isa(isa);
}

static const struct option options[] = {
    {"array", required_argument, NULL, 'a'},
    {"field", required_argument, NULL, 'f'},
    {"doubles", no_argument, NULL, 'd'},
    {"isa", required_argument, NULL, 'i'},
    {"rounds", required_argument, NULL, 'r'},
    {"round-ms", required_argument, NULL, 'm'},
    {"cold", no_argument, NULL, 'c'},
    {"one", required_argument, NULL, 'o'},
    {"times", required_argument, NULL, 't'},
    {NULL, 0, NULL, 0},
};

int main(int argc, char **argv)
{
    struct run r = {.query = {.array = "items", .field = "value"},
                    .rounds = 3,
                    .round_ns = 15e6};
    const char *isa = NULL, *one = NULL;
    long times = 1;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (c) {
        case 'a':
            r.query.array = optarg;
            break;
        case 'f':
            r.query.field = optarg;
            break;
        case 'd':
            r.query.doubles = true;
            break;
        case 'i':
            isa = optarg;
            break;
        case 'r':
            r.rounds = atoi(optarg);
            break;
        case 'm':
            r.round_ns = atof(optarg) * 1e6;
            break;
        case 'c':
            r.cold = true;
            break;
        case 'o':
            one = optarg;
            break;
        case 't':
            times = atol(optarg);
            break;
        default:
            return 2;
        }
    open_tallyd(&r, isa);
    for (int i = optind; i < argc; i++)
        if (one != NULL)
            repeat(&r, one, times, argv[i]);
        else
            compare(&r, argv[i]);
    payload_free(&typed);
    payload_free(&jsonc);
    return 0;
}
