/* breaker: when a downstream that fails is left alone for a while.
 *
 *            `failures` in a row              after `cooldown`, one request
 *   CLOSED ---------------------> OPEN --------------------> HALF_OPEN
 *     ^                            ^                          |    |
 *     |                            +--- it failed, or died ---+    |
 *     +-------------------- it was answered -----------------------+
 *
 * Failures in a row, of all workers, and no share of them: a downstream that
 * still takes some results is better than none, and a row needs no window, no
 * least number of requests and no sample that grows stale in a quiet night.
 *
 * Pure: the caller brings the clock. All that is known is in one number, so
 * that processes can share it in one atomic word: a process that changes it
 * stores what it has become by compare-and-exchange, and asks again when
 * another was first. A word of 0 is closed and knows no failure.
 *
 * Every change of state begins another epoch. A pass belongs to one, and what
 * is learned with a pass of an earlier epoch changes nothing: neither a post
 * that hung since before an outage, nor a probe that was given up. */
#ifndef TALLYD_DOWNSTREAM_BREAKER_H
#define TALLYD_DOWNSTREAM_BREAKER_H

#include <stdint.h>

#define BREAKER_FAILURES_MAX 1000
#define BREAKER_OWNER_MAX 4095

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

/* Times, here and below, are milliseconds; moments are on any clock that does
 * not go back, and are compared over up to four years. */
struct breaker_rules {
    uint32_t failures; /* in a row that open it: 1..BREAKER_FAILURES_MAX */
    int64_t cooldown;  /* how long it stays open */
    int64_t lease;     /* a probe that takes longer is given up */
};

enum breaker_verdict {
    BREAKER_PASS,   /* go on */
    BREAKER_PROBE,  /* go on; no other may until you have told the result */
    BREAKER_REFUSE, /* do not */
};

/* May a request go to the downstream now? `owner`, the place of a worker, has
 * the probe if it is one. *word becomes what has to be stored before it goes;
 * *epoch is that of its pass. */
enum breaker_verdict breaker_ask(uint64_t *word,
                                 const struct breaker_rules *rules, int64_t now,
                                 uint32_t owner, uint32_t *epoch);

enum breaker_result {
    BREAKER_GOOD,    /* there was an answer */
    BREAKER_BAD,     /* there was none, or one that says: broken */
    BREAKER_UNKNOWN, /* it was not asked, for reasons of our own */
};

/* What the word becomes when a pass of `epoch` has had this result. */
uint64_t breaker_learn(uint64_t word, const struct breaker_rules *rules,
                       int64_t now, uint32_t epoch, enum breaker_result result);

/* What it becomes when the worker at a place has died. Another may probe at
 * once if this one did. */
uint64_t breaker_bury(uint64_t word, int64_t now, uint32_t owner);

enum breaker_state breaker_state(uint64_t word);
const char *breaker_state_name(enum breaker_state state);

/* How long until a request may try, at least 0. For one that is half open:
 * until its probe is given up. */
int64_t breaker_left(uint64_t word, int64_t now);

/* Failures in a row, when it is closed. */
uint32_t breaker_failures(uint64_t word);

#endif
