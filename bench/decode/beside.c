#include "beside.h"

#include <stdio.h>
#include <stdlib.h>

#include "bodies.h"
#include "decoders.h"
#include "timing.h"

#define NINE 9
#define BLOCKS 220 /* nine bodies each */
#define LEARN 20   /* of them are not counted */
#define OWN 9      /* times that the hostile body itself is measured */

static const char *const measured[] = {"tallyd", "tallyd_8k", "simdjson_dom",
                                       "rapidjson"};
#define MEASURED (sizeof measured / sizeof measured[0])

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
    qsort(values, n, sizeof values[0], by_size);
    return values[n / 2];
}

static bool run(const struct decoder *d, const struct query *q,
                const struct body *b, uint64_t *sum)
{
    *sum = 0;
    return d->run(q, b->bytes, b->n, sum);
}

/* Nanoseconds for a byte of the nine. They are the bodies in turn, so each
 * block has others. The median leaves out what other processes disturbed. */
static double beside(const struct decoder *d, const struct query *q,
                     const struct body *tenth, const struct bodies *others)
{
    double times[BLOCKS];
    size_t next = 0;
    uint64_t sum;
    for (size_t i = 0; i < BLOCKS; i++) {
        size_t bytes = 0;
        run(d, q, tenth, &sum);
        double began = now_ns(CLOCK_MONOTONIC);
        for (size_t k = 0; k < NINE; k++) {
            const struct body *b = &others->all[next++ % others->count];
            if (!run(d, q, b, &sum) || sum != b->sum) {
                fprintf(stderr, "decode: %s: another sum\n", d->name);
                exit(3);
            }
            bytes += b->n;
        }
        times[i] = (now_ns(CLOCK_MONOTONIC) - began) / (double)bytes;
    }
    return median(times + LEARN, BLOCKS - LEARN);
}

static double own(const struct decoder *d, const struct query *q,
                  const struct body *b)
{
    double times[OWN];
    uint64_t sum;
    for (size_t i = 0; i < OWN; i++) {
        double began = now_ns(CLOCK_MONOTONIC);
        run(d, q, b, &sum);
        times[i] = now_ns(CLOCK_MONOTONIC) - began;
    }
    return median(times, OWN);
}

/* Does tallyd accept it? Whole and in chunks it says what the reference says,
 * with the same sum. */
static bool accepted(const struct query *q, const struct body *b)
{
    uint64_t whole, chunks, expected;
    bool ok = run(DECODER_REFERENCE, q, b, &expected);
    if (run(decoder_named("tallyd"), q, b, &whole) != ok ||
        run(decoder_named("tallyd_8k"), q, b, &chunks) != ok ||
        (ok && (whole != expected || chunks != expected))) {
        fprintf(stderr, "decode: the hostile body is judged differently\n");
        exit(3);
    }
    return ok;
}

static void print_round(const struct query *q, const struct body *hostile,
                        const struct body *regular, const struct bodies *others)
{
    for (size_t i = 0; i < MEASURED; i++)
        printf("%s\"%s\":%.1f", i == 0 ? "\"ns\":{" : ",", measured[i],
               own(decoder_named(measured[i]), q, hostile));
    for (size_t i = 0; i < MEASURED; i++) {
        const struct decoder *d = decoder_named(measured[i]);
        double usual = beside(d, q, regular, others);
        printf("%s\"%s\":%.4f", i == 0 ? "},\"slower\":{" : ",", measured[i],
               beside(d, q, hostile, others) / usual);
    }
    puts("}}");
    fflush(stdout);
}

void beside_measure(const struct query *q, int rounds, const char *hostile,
                    const char *regular, const char *others)
{
    struct bodies h, r, o;
    bodies_read(&h, hostile);
    bodies_read(&r, regular);
    bodies_read(&o, others);
    for (size_t i = 0; i < o.count; i++)
        DECODER_REFERENCE->run(q, o.all[i].bytes, o.all[i].n, &o.all[i].sum);
    const char *ok = accepted(q, &h.all[0]) ? "true" : "false";
    for (int round = 0; round < rounds; round++) {
        printf("{\"bytes\":%zu,\"accepted\":%s,", h.bytes, ok);
        print_round(q, &h.all[0], &r.all[0], &o);
    }
    bodies_free(&h);
    bodies_free(&r);
    bodies_free(&o);
}
