/* shadow_process: see shadow_process.h. */
#include "shadow/shadow_process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "os/cpu.h"
#include "os/signals.h"
#include "shadow/shadow.h"
#include "shadow/shadow_totals.h"
#include "supervisor/aux_process.h"

/* A directory that is new is out of reach, where the process may write in those
 * alone that were there when it began: the next process can. */
static bool told_to_end(const struct shadow_process_plan *plan,
                        struct shadow *s, const struct shadow_totals *totals)
{
    signals_hear();
    if (signals_take(SIGUSR1)) {
        log_reopen();
        if (!shadow_reopen(s) || totals->failed)
            return true;
    }
    return aux_process_order(plan->board, plan->supervisor, plan->generation) !=
           AUX_PROCESS_STAY;
}

static void examine(const struct shadow_process_plan *plan, struct shadow *s,
                    int slot)
{
    shadow_examine(s, shadow_queue_case(plan->queue, slot));
    shadow_queue_release(plan->queue, slot);
}

int shadow_process_run(const struct shadow_process_plan *plan)
{
    const struct shadow_plan what = {.config = plan->config,
                                     .counts =
                                         &plan->board->shadows[plan->number],
                                     .mark = shadow_queue_name(plan->queue)};
    struct shadow_totals totals;
    struct shadow *s = shadow_new(&what);
    if (s == NULL || !shadow_queue_join(plan->queue)) {
        log_error("cannot start: %s", strerror(errno));
        shadow_free(&s);
        return EXIT_FAILURE;
    }
    /* A copy that waits is dropped in the end; a request that waits is
     * somebody's. */
    if (!cpu_idle())
        log_warn("not when nobody else wants the processor, but like a "
                 "worker: %s",
                 strerror(errno));
    if (!confinement_enter(plan->confinement)) {
        shadow_free(&s);
        return EXIT_FAILURE;
    }
    shadow_totals_open(&totals, plan->config, plan->board, what.counts);
    while (!told_to_end(plan, s, &totals)) {
        int64_t due = plan->number > 0
                          ? CLOCK_NEVER /* one of them is enough */
                          : shadow_totals_turn(&totals, clock_now());
        int slot =
            shadow_queue_claim(plan->queue, SHADOW_PROCESS(plan->number));
        if (slot >= 0)
            examine(plan, s, slot);
        else
            shadow_queue_wait(plan->queue, signals_waiting(),
                              clock_poll_ms(due, clock_now()));
    }
    /* Each does, and the last to end has all of it. */
    shadow_totals_save(&totals);
    shadow_free(&s);
    return EXIT_SUCCESS;
}
