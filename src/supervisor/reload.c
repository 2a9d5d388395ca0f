/* reload: see reload.h. */
#include "supervisor/reload.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

/* How often it is looked whether all of a new generation waits for requests. */
#define START_LOOK (5 * CLOCK_MS)

static void note_end(struct reload *r, bool good)
{
    struct scoreboard *b = r->worker_set->board;
    if (good)
        atomic_store(&b->reload_good, atomic_load(&b->reloads_begun));
    else
        scoreboard_count(&b->reloads_failed);
    atomic_fetch_add(&b->reloads_ended, 1); /* after the above */
}

static void serve_with(struct reload *r, uint32_t generation,
                       const struct generation_size *size)
{
    r->generation = generation;
    r->size = *size;
    r->aux->shadows = size->shadows;
    scaler_serve(r->scaler, generation, &size->workers, size->drain_timeout);
}

void reload_first(struct reload *r, const struct generation_size *size)
{
    r->newest = 1;
    worker_set_assign(r->worker_set, r->newest, scale_first(&size->workers));
    serve_with(r, r->newest, size);
}

void reload_inherit(struct reload *r, uint32_t generation, uint32_t newest,
                    const struct generation_size *size)
{
    r->newest = newest;
    r->wanted = true;
    serve_with(r, generation, size);
    reload_advance(r);
}

/* The new generation takes over. It accepts already, so do the old workers
 * until each has finished its request. */
static void switch_over(struct reload *r)
{
    uint32_t was = r->generation;
    serve_with(r, r->next, &r->next_size);
    r->next = 0;
    startup_succeeded(r->startup);
    r->plan->adopt(r->plan->context, true);
    uint32_t left = worker_set_retire(r->worker_set, was,
                                      clock_now() + r->size.drain_timeout);
    aux_process_tell(r->aux, SIGHUP);
    log_info("reload: generation %u serves with %u workers; %u of generation "
             "%u finish what they have in hand",
             r->generation, worker_set_count(r->worker_set, r->generation),
             left, was);
    note_end(r, true);
}

void reload_give_up(struct reload *r, const char *why)
{
    if (r->next == 0)
        return;
    log_error("reload: generation %u did not start: %s; generation %u goes on",
              r->next, why, r->generation);
    worker_set_retire(r->worker_set, r->next,
                      clock_now() + r->size.drain_timeout);
    r->next = 0;
    r->plan->adopt(r->plan->context, false);
    note_end(r, false);
}

void reload_lost(struct reload *r, uint32_t number, int status)
{
    if (worker_set_started_well(r->worker_set, number, status))
        r->worker_set->members[number].proven = true;
    else
        reload_give_up(r, "a worker ended before it began a request");
}

/* Start a worker in each slot of the next generation that has none. */
static void fill(struct reload *r)
{
    int number;
    while (r->next != 0 &&
           (number = worker_set_vacant(r->worker_set, r->next)) >= 0)
        if (!startup_begin(r->startup, (uint32_t)number, r->next,
                           r->next_size.start_timeout))
            reload_give_up(r, strerror(errno));
}

static void begin(struct reload *r)
{
    r->wanted = false;
    /* Before the settings are read: who reads the number and asks then knows
     * that a later one has read them after that. */
    scoreboard_count(&r->worker_set->board->reloads_begun);
    if (!r->plan->prepare(r->plan->context, r->newest + 1, &r->next_size)) {
        note_end(r, false);
        return;
    }
    r->next = ++r->newest;
    worker_set_assign(r->worker_set, r->next,
                      scaler_next(r->scaler, &r->next_size.workers));
    fill(r);
}

bool reload_is_possible(const struct reload *r)
{
    uint32_t used = worker_set_used_slots(r->worker_set);
    return r->next == 0 &&
           (used <= r->size.workers.most ||
            used == worker_set_count(r->worker_set, r->generation));
}

/* The deadline of a reload is that of each of its workers. */
static void look_for_failure(struct reload *r)
{
    char why[80];
    int number = startup_failed(r->startup, r->next);
    if (number < 0)
        return;
    snprintf(why, sizeof why,
             "worker %d did not get to serve within start_timeout", number);
    reload_give_up(r, why);
}

bool reload_advance(struct reload *r)
{
    uint32_t was = r->generation;
    if (r->next != 0 && worker_set_has_started(r->worker_set, r->next)) {
        switch_over(r);
    } else if (r->next != 0) {
        look_for_failure(r);
        fill(r);
    }
    if (r->wanted && reload_is_possible(r))
        begin(r);
    return r->generation != was;
}

int64_t reload_next(const struct reload *r)
{
    return r->next != 0 ? clock_now() + START_LOOK : CLOCK_NEVER;
}

void reload_count_failed(struct reload *r)
{
    scoreboard_count(&r->worker_set->board->reloads_begun);
    note_end(r, false);
}
