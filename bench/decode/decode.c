/* decode: the decoders side by side, in one process, in turns.
 *
 * usage: decode [OPTION]... FILE...
 *   --array A, --field F   what is added up (items, value)
 *   --doubles              as doubles, not as integers
 *   --query                a query instead (peers.h)
 *   --gzip                 of compressed bodies, tallyd beside zlib and tallyd
 *   --isa NAME             tallyd takes that path (the peers are built for it)
 *   --rounds N             how many rounds (3)
 *   --round-ms N           how long a decoder runs in a round (15)
 *   --cold                 caches are emptied before each decode
 *   --beside FILE          how fast others are when every tenth body is that
 *   --instead FILE         one, and when it is this regular one (see beside.h)
 *   --one NAME --times N   only that decoder, so many times: for profilers
 *
 * A FILE is one body, or several that are gone over in turn (see bodies.h).
 * Prints a JSON line for each and round: {"bytes":N, "bodies":N, "sum":N,
 * "isa":{...}, "differ":[...], "ns":{DECODER: NS}}, with the time of all bodies
 * once. "differ" has the decoders that refuse a body or find another sum than
 * json-c behind tallyd's check. Every sum is compared each time.
 *
 * Times are the CPU time of the process: others use the machine, too. */
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bodies.h"
#include "beside.h"
#include "decoders.h"
#include "gzip.h"
#include "timing.h"

#define BATCH_NS 1e6           /* the clock is asked about as often */
#define EVICT_BYTES (96 << 20) /* more than a last-level cache holds */

/* --- One round. --- */

struct run {
    struct query query;
    int rounds;
    double round_ns;
    bool cold, gzip;
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
        if (!DECODER_REFERENCE->run(&r->query, b->all[i].bytes, b->all[i].n,
                                    &b->all[i].sum))
            return false;
    for (size_t d = 0; d < decoder_count; d++)
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

static void print_head(const struct run *r, const struct bodies *b)
{
    const char *comma = "";
    double sum = sum_of(r, b);
    printf("{\"bytes\":%zu,\"bodies\":%zu,\"sum\":", b->bytes, b->count);
    printf(isfinite(sum) ? "%.17g" : "null", sum);
    printf(",\"isa\":{\"tallyd\":\"%s\",\"simdjson_dom\":\"%s\","
           "\"simdjson_ondemand\":\"%s\"},\"differ\":[",
           r->isa, peers_simdjson_dom(), peers_simdjson_ondemand());
    for (size_t d = 0; d < decoder_count; d++)
        if (r->differs[d]) {
            printf("%s\"%s\"", comma, decoders[d].name);
            comma = ",";
        }
    printf("],\"ns\":{");
}

/* Each round begins with another decoder. */
static void print_round(const struct run *r, const struct bodies *b, int round)
{
    const char *comma = "";
    print_head(r, b);
    for (size_t i = 0; i < decoder_count; i++) {
        size_t at = (i + (size_t)round) % decoder_count;
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
    if (r->gzip)
        gzip_bodies(&b);
    if (!find_sums(r, &b)) {
        fprintf(stderr, "decode: %s: a body is refused\n", path);
        exit(3);
    }
    for (int round = 0; round < r->rounds; round++)
        print_round(r, &b, round);
    bodies_free(&b);
}

/* --- What it takes is told by the options. --- */

static void repeat(const struct run *r, const char *name, long times,
                   const char *path)
{
    const struct decoder *d = decoder_named(name);
    struct bodies b;
    bodies_read(&b, path);
    if (r->gzip)
        gzip_bodies(&b);
    for (long i = 0; i < times; i++)
        for (size_t k = 0; k < b.count; k++)
            d->run(&r->query, b.all[k].bytes, b.all[k].n, &b.all[k].sum);
    bodies_free(&b);
}

static const struct option options[] = {
    {"array", required_argument, NULL, 'a'},
    {"field", required_argument, NULL, 'f'},
    {"doubles", no_argument, NULL, 'd'},
    {"query", no_argument, NULL, 'q'},
    {"gzip", no_argument, NULL, 'g'},
    {"isa", required_argument, NULL, 'i'},
    {"rounds", required_argument, NULL, 'r'},
    {"round-ms", required_argument, NULL, 'm'},
    {"cold", no_argument, NULL, 'c'},
    {"beside", required_argument, NULL, 'b'},
    {"instead", required_argument, NULL, 'n'},
    {"one", required_argument, NULL, 'o'},
    {"times", required_argument, NULL, 't'},
    {NULL, 0, NULL, 0},
};

int main(int argc, char **argv)
{
    struct run r = {.query = {.array = "items", .field = "value"},
                    .rounds = 3,
                    .round_ns = 15e6};
    const char *isa = NULL, *one = NULL, *beside = NULL, *instead = NULL;
    long times = 1;
    bool query = false;
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
        case 'q':
            query = true;
            break;
        case 'g':
            r.gzip = true;
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
        case 'b':
            beside = optarg;
            break;
        case 'n':
            instead = optarg;
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
    r.isa = decoders_open(&r.query, query, isa);
    if (r.gzip)
        decoders_take_gzip();
    for (int i = optind; i < argc; i++)
        if (one != NULL)
            repeat(&r, one, times, argv[i]);
        else if (beside != NULL && instead != NULL)
            beside_measure(&r.query, r.rounds, beside, instead, argv[i]);
        else
            compare(&r, argv[i]);
    decoders_close();
    return 0;
}
