/* breaker: see breaker.h.
 *
 *    bits  0..1    state
 *          2..13   epoch
 *         14..25   failures in a row (closed), owner of the probe (half open)
 *         26..63   when a request may try, ms (open, half open) */
#include "downstream/breaker.h"

#include <stdbool.h>

#define EPOCH_AT 2
#define COUNT_AT 14
#define UNTIL_AT 26
#define SMALL UINT64_C(0xfff) /* epoch, failures and owner have 12 bits */

_Static_assert(BREAKER_FAILURES_MAX <= SMALL && BREAKER_OWNER_MAX <= SMALL,
               "12 bits each");

static uint32_t epoch_of(uint64_t word)
{
    return (uint32_t)(word >> EPOCH_AT & SMALL);
}

static uint32_t count_of(uint64_t word)
{
    return (uint32_t)(word >> COUNT_AT & SMALL);
}

static uint64_t make(enum breaker_state state, uint32_t epoch, uint32_t count,
                     int64_t until)
{
    return (uint64_t)state | (epoch & SMALL) << EPOCH_AT |
           (count & SMALL) << COUNT_AT | (uint64_t)until << UNTIL_AT;
}

/* To another state, and so to another epoch. */
static uint64_t enter(uint64_t word, enum breaker_state state, uint32_t count,
                      int64_t until)
{
    return make(state, epoch_of(word) + 1, count, until);
}

enum breaker_state breaker_state(uint64_t word)
{
    return (enum breaker_state)(word & 3);
}

const char *breaker_state_name(enum breaker_state state)
{
    return state == BREAKER_CLOSED ? "closed"
           : state == BREAKER_OPEN ? "open"
                                   : "half open";
}

uint32_t breaker_failures(uint64_t word)
{
    return breaker_state(word) == BREAKER_CLOSED ? count_of(word) : 0;
}

/* Only so many bits of a moment are kept. The difference of two, in as many
 * bits and with its sign, is right across their end. */
int64_t breaker_left(uint64_t word, int64_t now)
{
    uint64_t difference = (word >> UNTIL_AT) - (uint64_t)now;
    int64_t left = (int64_t)(difference << UNTIL_AT) >> UNTIL_AT;
    return breaker_state(word) == BREAKER_CLOSED || left < 0 ? 0 : left;
}

enum breaker_verdict breaker_ask(uint64_t *word,
                                 const struct breaker_rules *rules, int64_t now,
                                 uint32_t owner, uint32_t *epoch)
{
    enum breaker_verdict verdict = BREAKER_PASS;
    if (breaker_state(*word) != BREAKER_CLOSED) {
        if (breaker_left(*word, now) > 0)
            return BREAKER_REFUSE;
        *word = enter(*word, BREAKER_HALF_OPEN, owner, now + rules->lease);
        verdict = BREAKER_PROBE;
    }
    *epoch = epoch_of(*word);
    return verdict;
}

static uint64_t fail_once(uint64_t word, const struct breaker_rules *rules,
                          int64_t now)
{
    uint32_t failures = breaker_failures(word) + 1;
    bool opens =
        breaker_state(word) == BREAKER_HALF_OPEN || failures >= rules->failures;
    return opens ? enter(word, BREAKER_OPEN, 0, now + rules->cooldown)
                 : make(BREAKER_CLOSED, epoch_of(word), failures, 0);
}

uint64_t breaker_learn(uint64_t word, const struct breaker_rules *rules,
                       int64_t now, uint32_t epoch, enum breaker_result result)
{
    bool probed = breaker_state(word) == BREAKER_HALF_OPEN;
    if (epoch != epoch_of(word) || breaker_state(word) == BREAKER_OPEN)
        return word;
    if (result == BREAKER_BAD)
        return fail_once(word, rules, now);
    if (result == BREAKER_UNKNOWN)
        return probed ? enter(word, BREAKER_OPEN, 0, now) : word;
    return probed ? enter(word, BREAKER_CLOSED, 0, 0)
                  : make(BREAKER_CLOSED, epoch, 0, 0);
}

uint64_t breaker_bury(uint64_t word, int64_t now, uint32_t owner)
{
    bool probed =
        breaker_state(word) == BREAKER_HALF_OPEN && count_of(word) == owner;
    return probed ? enter(word, BREAKER_OPEN, 0, now) : word;
}
