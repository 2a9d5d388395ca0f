/* guard: see guard.h. */
#include "worker/guard.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"

/* Is this outcome of a post a failure of the downstream, and not of what was
 * posted or of this process? A downstream that answers 3xx or 4xx is there and
 * works: it does not want this result, and may want the next one. */
static enum breaker_result judge(const struct endpoint *e, enum outcome o,
                                 const struct downstream_report *report)
{
    switch (o) {
    case OUTCOME_downstream_connect:
    case OUTCOME_downstream_broken:
    case OUTCOME_downstream_timeout:
        return BREAKER_BAD;
    case OUTCOME_request_timeout:
        return report->given >= e->time_enough ? BREAKER_BAD : BREAKER_UNKNOWN;
    case OUTCOME_downstream_status:
        return report->status >= 500 ? BREAKER_BAD : BREAKER_GOOD;
    case OUTCOME_internal:
        return BREAKER_UNKNOWN;
    default:
        return BREAKER_GOOD;
    }
}

/* `left`: ms that the breaker stays open; 0: it is half open. */
static void word_refusal(struct guard_pass *pass, int64_t left)
{
    pass->retry_after = (left + 999) / 1000;
    if (left == 0)
        snprintf(pass->why, sizeof pass->why,
                 "the breaker is half open, another request tries the "
                 "downstream");
    else
        snprintf(pass->why, sizeof pass->why,
                 "the breaker is open for another %" PRId64 " ms", left);
}

bool guard_would_refuse(const struct endpoint *e, struct guard_pass *pass)
{
    uint64_t word = atomic_load(&e->circuit->word);
    int64_t left = breaker_left(word, clock_now() / CLOCK_MS);
    if (left == 0)
        return false;
    word_refusal(pass, breaker_state(word) == BREAKER_OPEN ? left : 0);
    return true;
}

bool guard_enter(const struct endpoint *e, struct scoreboard_slot *slot,
                 struct guard_pass *pass)
{
    int64_t left;
    switch (circuit_enter(e->circuit, &e->rules, clock_now() / CLOCK_MS,
                          slot->number, &pass->epoch, &left)) {
    case BREAKER_PASS:
        return true;
    case BREAKER_PROBE:
        scoreboard_count(&slot->counters[COUNTER_breaker_probes]);
        log_info("endpoint=%s breaker: one request tries the downstream",
                 e->config->name);
        return true;
    case BREAKER_REFUSE:
        break;
    }
    word_refusal(pass, left);
    return false;
}

void guard_leave(const struct endpoint *e, struct scoreboard_slot *slot,
                 const struct guard_pass *pass, enum outcome o,
                 const struct downstream_report *report)
{
    enum breaker_result result = judge(e, o, report);
    const struct circuit_change change = circuit_leave(
        e->circuit, &e->rules, clock_now() / CLOCK_MS, pass->epoch, result);
    if (change.from == change.to || result == BREAKER_UNKNOWN)
        return;
    if (change.to == BREAKER_CLOSED) {
        log_warn("endpoint=%s breaker closed: the downstream answers again",
                 e->config->name);
        return;
    }
    scoreboard_count(&slot->counters[COUNTER_breaker_opened]);
    log_warn("endpoint=%s breaker open for %" PRId64 " ms: %s, last: %s",
             e->config->name, e->rules.cooldown,
             change.from == BREAKER_CLOSED ? "too many failures in a row"
                                           : "the try has failed",
             report->detail);
}
