/* comparison: what many cases came to, counted by kind.
 *
 * Written out and read back as lines "name value", so that a run which was
 * interrupted can go on. */
#ifndef TALLYD_COMPARE_COMPARISON_H
#define TALLYD_COMPARE_COMPARISON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "compare/parity.h"

struct comparison {
    uint64_t cases;               /* judged or not */
    uint64_t kinds[PARITY_COUNT]; /* of all cases but the noise */
    uint64_t noise[PARITY_COUNT]; /* differences that theirs has with itself */
    uint64_t broken, too_long;    /* what was not sent, and why */
    uint64_t unproved;   /* files of which no case was taken by either */
    uint64_t answers[2]; /* of ours and theirs */
    int64_t time[2];     /* ns, that those took in all */
    int64_t elapsed;     /* ns, of the whole run */
};

void comparison_add(struct comparison *c, const struct parity_verdict *v,
                    bool noise);

uint64_t comparison_count(const struct comparison *c,
                          enum parity_kind_class class);
uint64_t comparison_noise(const struct comparison *c);

/* Cases with a verdict: equal, mismatch, by contract, or noise. */
uint64_t comparison_judged(const struct comparison *c);

/* Mismatches of those, and what the rate may be at most, with 95 %. */
double comparison_rate(const struct comparison *c);
double comparison_bound(const struct comparison *c);

/* One line of progress. */
void comparison_progress(const struct comparison *c, struct buf *out);

/* The summary for people, and as one JSON object. */
void comparison_print(const struct comparison *c, FILE *out);
void comparison_print_json(const struct comparison *c, FILE *out);

void comparison_save(const struct comparison *c, FILE *out);

/* One line that comparison_save() has written. False: it is none. */
bool comparison_load(struct comparison *c, const char *name, uint64_t value);

#endif
