/* worker: see worker.h. */
#include "worker/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cutoff.h"
#include "base/log.h"
#include "conn_pool/intake.h"
#include "os/proctitle.h"
#include "os/signals.h"
#include "worker/exchange.h"
#include "worker/recycle.h"
#include "worker/self_watchdog.h"
#include "worker/serving.h"

/* New connections served for each parked one when both wait. A proxy that
 * keeps fewer connections than it has clients makes several anew for each that
 * it uses again. */
#define NEW_PER_PARKED 3

/* At the end of a pool with a supervisor, which tells when all is done: how
 * long a worker sleeps at most. */
#define DRAIN_SLEEP_MS 1000

/* At the end of the pool: how long before drain_timeout is over connections are
 * no longer kept, and how long what waits then may be told so. */
#define KEEP_MARGIN CLOCK_SECOND
#define REFUSE_LIMIT CLOCK_SECOND

/* Two orders to stop within this time are one: timeout(1) and some service
 * managers send the same one twice. */
#define ECHO_WINDOW CLOCK_SECOND

/* A worker that always finds something to do asks that often for signals. A
 * wait lets them in without being asked. */
#define HEAR_INTERVAL (50 * CLOCK_MS)

struct worker {
    const struct worker_plan *plan;
    struct conn_pool *conn_pool;
    struct serving serving;
    bool unsound;      /* leave now: the self-test failed */
    int64_t heard;     /* monotonic ns: when it last asked for signals */
    int64_t told;      /* alone: when a stop was last asked for */
    int64_t drain_at;  /* alone: stop_delay is over then; 0: it is not on */
    int64_t drain_end; /* the pool ends, by then; 0: serve on */
    bool looks;        /* nobody else looks after the end */
    struct intake intake;
};

/* --- The end. --- */

static bool is_alone(const struct worker *w)
{
    return w->plan->supervisor == 0;
}

static bool is_orphan(const struct worker *w)
{
    return !is_alone(w) && getppid() != w->plan->supervisor;
}

static void start_draining(struct worker *w)
{
    w->drain_at = 0;
    w->drain_end = clock_now() + w->plan->pool->drain_timeout;
    w->serving.keep_until = w->drain_end - KEEP_MARGIN;
    proctitle_state("draining");
    if (is_alone(w))
        scoreboard_stage(w->plan->board, POOL_DRAINING);
    serving_hurry(&w->serving, true);
}

/* Alone: who asks is told at once that the pool stops. */
static void leave(struct worker *w)
{
    w->looks = true;
    if (w->plan->pool->stop_delay == 0) {
        intake_stop(&w->intake);
        start_draining(w);
        return;
    }
    w->drain_at = clock_now() + w->plan->pool->stop_delay;
    proctitle_state("stopping");
    scoreboard_stage(w->plan->board, POOL_LEAVING);
}

/* The next generation has the listener, and knows nothing of the connections.
 */
static void leave_generation(struct worker *w)
{
    w->looks = true;
    conn_pool_close(w->conn_pool, false);
    conn_pool_deafen(w->conn_pool);
    start_draining(w);
    w->serving.keep_until = 0;
}

/* The supervisor is gone. */
static void look_after_the_end(struct worker *w)
{
    w->looks = true;
    intake_stop(&w->intake);
    if (w->drain_end == 0)
        start_draining(w);
}

static void obey_stop_alone(struct worker *w, bool first)
{
    int64_t now = clock_now();
    bool again = now - w->told >= ECHO_WINDOW;
    w->told = now;
    if (first)
        leave(w);
    else if (again)
        w->serving.stop = true;
}

/* `generation_ends`: nobody but this generation will empty its connections. */
static void obey_stop(struct worker *w, bool generation_ends)
{
    bool first = w->drain_at == 0 && w->drain_end == 0;
    if (is_alone(w))
        obey_stop_alone(w, first);
    else if (generation_ends && first)
        leave_generation(w);
    else if (is_orphan(w) && !w->looks)
        look_after_the_end(w);
    else if (conn_pool_closing(w->conn_pool) && first)
        start_draining(w);
    else if (first)
        w->serving.stop = true; /* the others go on: nothing waits for it */
}

/* What still waits when there is no time left is told so. */
static void refuse_the_rest(struct worker *w)
{
    if (w->serving.refuses) {
        w->serving.stop = true;
        return;
    }
    w->serving.refuses = true;
    w->drain_end = clock_now() + REFUSE_LIMIT;
}

static void watch_the_end(struct worker *w)
{
    if (w->drain_at == 0 && w->drain_end == 0)
        return;
    int64_t now = clock_now();
    if (w->drain_at != 0 && now >= w->drain_at) {
        intake_stop(&w->intake);
        start_draining(w);
    }
    if (w->drain_end == 0)
        return;
    serving_hurry(&w->serving, false);
    if (!w->looks)
        return;
    intake_look(&w->intake, now >= w->drain_end);
    if (now >= w->drain_end)
        refuse_the_rest(w);
}

/* To finish and leave is what FastCGI process managers mean by SIGUSR1. A
 * pool, or a process with files to open again, opens them again. */
static bool finishes_at_usr1(const struct worker *w)
{
    const struct config_pool *c = w->plan->pool;
    return w->plan->supervisor == 0 && c->log_file[0] == '\0' &&
           c->access_log[0] == '\0' && c->slow_log[0] == '\0';
}

static void obey_signals(struct worker *w)
{
    int64_t now = clock_now();
    if (now - w->heard >= HEAR_INTERVAL) {
        signals_hear();
        w->heard = now;
    }
    if (signals_take(SIGUSR1)) {
        if (!finishes_at_usr1(w))
            log_reopen();
        else if (w->drain_at == 0 && w->drain_end == 0)
            obey_stop(w, false);
    }
    bool term = signals_take(SIGTERM), quit = signals_take(SIGQUIT);
    /* Alone, it has nobody to be followed by. */
    bool usr2 = signals_take(SIGUSR2) && w->plan->supervisor != 0;
    if (signals_take(SIGINT))
        w->serving.stop = true;
    else if (term || quit || usr2)
        obey_stop(w, usr2);
}

static bool finished(const struct worker *w)
{
    return w->serving.stop || w->unsound ||
           (w->drain_end != 0 && conn_pool_is_done(w->conn_pool));
}

/* --- The loop. --- */

/* How long it may wait, as for poll(2), if nothing comes. */
static int wait_limit(const struct worker *w)
{
    if (w->drain_end != 0)
        return w->looks ? INTAKE_LOOK_MS : DRAIN_SLEEP_MS;
    if (w->drain_at != 0)
        return clock_poll_ms(w->drain_at, clock_now());
    return recycle_wait(&w->serving.recycle,
                        exchange_test_wait(w->serving.exchange));
}

/* True: there were some. */
static bool accept_some(struct worker *w)
{
    bool any = false;
    for (int i = 0; i < NEW_PER_PARKED && conn_pool_knocking(w->conn_pool) &&
                    !w->serving.stop;
         i++)
        any = serving_accept(&w->serving) || any;
    return any;
}

/* Wait for one event. */
static enum conn_pool_event rest(struct worker *w, int limit, int *slot)
{
    bool asks = w->plan->pool->queue_timeout != 0;
    int64_t began = asks ? clock_now() : 0;
    scoreboard_rests(w->plan->slot);
    enum conn_pool_event event =
        conn_pool_wait(w->conn_pool, signals_waiting(), limit, slot);
    scoreboard_goes_on(w->plan->slot);
    if (asks)
        queue_wait_rested(&w->serving.waiting, began, clock_now());
    return event;
}

/* The self-test, if it is time. */
static void test(struct worker *w)
{
    if (exchange_test_wait(w->serving.exchange) != 0)
        return;
    scoreboard_step(w->plan->slot, STEP_TESTING);
    w->unsound = !exchange_test_due(w->serving.exchange);
    scoreboard_step(w->plan->slot, STEP_DONE);
}

/* Some new connections where they wait, then one that was parked: neither kind
 * can keep the other waiting for long. */
static void turn(struct worker *w)
{
    int slot = -1;
    int limit = wait_limit(w);
    if (accept_some(w))
        limit = 0;
    enum conn_pool_event event =
        w->serving.stop ? CONN_POOL_NOTHING : rest(w, limit, &slot);
    if (event == CONN_POOL_KNOCK)
        serving_accept(&w->serving);
    else if (event == CONN_POOL_REQUEST)
        serving_take(&w->serving, slot);
    else if (event == CONN_POOL_CLOCK)
        serving_close_overdue(&w->serving);
    obey_signals(w);
    watch_the_end(w);
    serving_leave_in_time(&w->serving);
    test(w);
}

/* What is only of use where there is another worker to follow. */
static void be_supervised(struct worker *w)
{
    const struct config_pool *c = w->plan->pool;
    struct scoreboard_slot *slot = w->plan->slot;
    recycle_begin(&w->serving.recycle, c, slot);
    atomic_store_explicit(&slot->limit, c->request_timeout,
                          memory_order_relaxed);
    atomic_store_explicit(&slot->write_limit, c->write_timeout,
                          memory_order_relaxed);
    backtrace_forget(&slot->stack); /* it was late: see startup.h */
}

static bool sound(struct worker *w)
{
    scoreboard_step(w->plan->slot, STEP_TESTING);
    return exchange_test(w->serving.exchange);
}

/* From here on nothing is opened that is not allowed for. */
static bool settle(struct worker *w)
{
    const struct worker_plan *plan = w->plan;
    if (plan->supervisor != 0)
        be_supervised(w);
    else
        self_watchdog_watch(plan->board, plan->slot, plan->pool);
    return confinement_enter(plan->confinement);
}

int worker_run(const struct worker_plan *plan)
{
    struct worker w = {
        .plan = plan,
        .conn_pool = plan->conn_pool,
        .intake = {.listener = plan->listener, .conn_pool = plan->conn_pool}};
    int status = EXIT_FAILURE;
    log_set_drop_counter(&plan->slot->counters[COUNTER_log_dropped]);
    if (plan->supervisor != 0)
        backtrace_catch(&plan->slot->stack); /* from here on it can be asked */
    cutoff_watch(&plan->board->cutoff);
    scoreboard_step(plan->slot, STEP_OPENING);
    if (!serving_open(&w.serving, plan)) {
        log_error("cannot start serving: %s", strerror(errno));
    } else if (sound(&w) && settle(&w)) {
        scoreboard_step(plan->slot, STEP_DONE);
        scoreboard_state(plan->slot, WORKER_IDLE);
        idle_set_ready(&plan->seat);
        log_debug("serving");
        proctitle_state("serving");
        while (!finished(&w))
            turn(&w);
        status = w.unsound ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    serving_close(&w.serving);
    return status;
}
