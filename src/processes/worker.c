/* worker: see worker.h. */
#include "processes/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/fcgi.h"
#include "adapters/signals.h"
#include "base/clock.h"
#include "base/log.h"
#include "processes/exchange.h"

/* Connections taken in a row before the held ones are looked at again. */
#define ACCEPT_BATCH 16

/* After accept(2) failed for want of descriptors or memory. */
#define ACCEPT_PAUSE (100 * CLOCK_MS)

/* How long a silent connection is waited for when the worker is leaving. A
 * web server sends its request at once after it connects. */
#define DRAIN_GRACE CLOCK_SECOND

struct worker {
    const struct worker_plan *plan;
    struct scoreboard_slot *slot;
    struct fcgi *fcgi;
    struct exchange *exchange;
    int epoll, signals;
    bool listening;       /* the listener is in the epoll set */
    int64_t listen_again; /* monotonic ns: no accept(2) before */
    int64_t complained;   /* when want of resources was last logged */
    bool draining, stop;
    bool emptying; /* draining, and the listener's queue is ours to serve */
    struct fcgi_conn **held; /* waiting for the head of a request */
    size_t held_count, held_max;
};

/* --- Held connections. --- */

static void note_held(struct worker *w)
{
    atomic_store_explicit(&w->slot->held, w->held_count, memory_order_relaxed);
}

static bool hold(struct worker *w, struct fcgi_conn *conn)
{
    struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = conn};
    if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, conn->fd, &e) != 0)
        return false;
    conn->place = w->held_count;
    w->held[w->held_count++] = conn;
    note_held(w);
    return true;
}

/* Take `conn` out of the held ones; the last one gets its place. */
static void release(struct worker *w, struct fcgi_conn *conn)
{
    epoll_ctl(w->epoll, EPOLL_CTL_DEL, conn->fd, NULL);
    struct fcgi_conn *last = w->held[--w->held_count];
    w->held[conn->place] = last;
    last->place = conn->place;
    note_held(w);
}

static void refuse(struct worker *w, struct fcgi_conn *conn)
{
    scoreboard_count(&w->slot->counters[COUNTER_refused]);
    log_info("connection refused: %s", conn->reason);
    fcgi_close(w->fcgi, conn);
}

/* Go on with a connection that is not held. True: it needs more bytes. */
static bool advance(struct worker *w, struct fcgi_conn *conn, int64_t now)
{
    unsigned managed = 0;
    enum fcgi_progress progress = fcgi_conn_advance(conn, now, &managed);
    for (; managed > 0; managed--)
        scoreboard_count(&w->slot->counters[COUNTER_management]);
    if (progress == FCGI_WAITING)
        return true;
    if (progress == FCGI_REFUSED) {
        refuse(w, conn);
        return false;
    }
    if (progress == FCGI_READY)
        exchange_serve(w->exchange, conn);
    fcgi_close(w->fcgi, conn);
    scoreboard_state(w->slot, w->draining ? WORKER_DRAINING : WORKER_IDLE);
    return false;
}

static void expire(struct worker *w, int64_t now)
{
    for (size_t i = w->held_count; i-- > 0;) {
        struct fcgi_conn *conn = w->held[i];
        if (conn->deadline > now)
            continue;
        scoreboard_count(&w->slot->counters[COUNTER_silent]);
        log_info("connection closed: %s", conn->started
                                              ? "header_timeout is over"
                                              : "first_byte_timeout is over");
        release(w, conn);
        fcgi_close(w->fcgi, conn);
    }
}

/* --- The listener. --- */

static void watch_listener(struct worker *w, int64_t now)
{
    bool want =
        !w->draining && w->held_count < w->held_max && now >= w->listen_again;
    if (want == w->listening)
        return;
    struct epoll_event e = {.events = EPOLLIN | EPOLLEXCLUSIVE,
                            .data.ptr = (void *)&w->plan->listener};
    int op = want ? EPOLL_CTL_ADD : EPOLL_CTL_DEL;
    if (epoll_ctl(w->epoll, op, w->plan->listener, &e) == 0)
        w->listening = want;
}

/* accept(2): these say that a peer was too fast, or a sibling. */
static bool nothing_to_accept(int error)
{
    return error == EAGAIN || error == EINTR || error == ECONNABORTED ||
           error == EPROTO || error == EINVAL;
}

static int take_connection(struct worker *w, int64_t now)
{
    int fd = accept4(w->plan->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) {
        scoreboard_count(&w->slot->counters[COUNTER_connections]);
        return fd;
    }
    if (nothing_to_accept(errno))
        return -1;
    scoreboard_count(&w->slot->counters[COUNTER_accept_errors]);
    w->listen_again = now + ACCEPT_PAUSE;
    if (w->complained == 0 || now - w->complained > 10 * CLOCK_SECOND) {
        w->complained = now;
        log_warn("accept: %s; raise the limit of open files or lower "
                 "max_connections",
                 strerror(errno));
    }
    return -1;
}

/* Take one connection and go as far with it as its bytes allow. */
static bool accept_one(struct worker *w)
{
    int64_t now = clock_now();
    int fd = take_connection(w, now);
    if (fd < 0)
        return false;
    struct fcgi_conn *conn = fcgi_open(w->fcgi, fd, now);
    if (conn == NULL) {
        scoreboard_count(&w->slot->counters[COUNTER_accept_errors]);
        return true;
    }
    if (advance(w, conn, now) && !hold(w, conn)) {
        conn->reason = "no room in the epoll set";
        refuse(w, conn);
    }
    return true;
}

static void accept_some(struct worker *w)
{
    for (int i = 0; i < ACCEPT_BATCH && w->held_count < w->held_max; i++)
        if (!accept_one(w))
            return;
}

/* --- Stopping. --- */

/* Nobody else will serve what is queued on a listener of ours. */
static void empty_queue(struct worker *w)
{
    while (w->emptying && w->held_count < w->held_max)
        w->emptying = accept_one(w);
}

static void start_draining(struct worker *w)
{
    int64_t now = clock_now();
    if (w->draining)
        return;
    w->draining = true;
    w->emptying = !w->plan->adopted;
    scoreboard_state(w->slot, WORKER_DRAINING);
    for (size_t i = 0; i < w->held_count; i++)
        if (!w->held[i]->started && w->held[i]->deadline > now + DRAIN_GRACE)
            w->held[i]->deadline = now + DRAIN_GRACE;
}

static void obey_signals(struct worker *w)
{
    signals_read(w->signals);
    if (signals_take(SIGUSR1))
        log_reopen();
    bool term = signals_take(SIGTERM), quit = signals_take(SIGQUIT);
    if (term || quit)
        start_draining(w);
    if (signals_take(SIGINT))
        w->stop = true;
}

/* --- The loop. --- */

static int next_timeout(const struct worker *w, int64_t now)
{
    int64_t next = CLOCK_NEVER;
    for (size_t i = 0; i < w->held_count; i++)
        if (w->held[i]->deadline < next)
            next = w->held[i]->deadline;
    if (!w->draining && !w->listening && w->listen_again > now &&
        w->listen_again < next)
        next = w->listen_again;
    return clock_poll_ms(next, now);
}

static void serve_held(struct worker *w, struct fcgi_conn *conn)
{
    release(w, conn);
    if (advance(w, conn, clock_now()) && !hold(w, conn)) {
        conn->reason = "no room in the epoll set";
        refuse(w, conn);
    }
}

static void turn(struct worker *w)
{
    struct epoll_event events[32];
    int64_t now = clock_now();
    watch_listener(w, now);
    int n = epoll_wait(w->epoll, events, 32, next_timeout(w, now));
    bool knock = false;
    for (int i = 0; i < n; i++) {
        if (events[i].data.ptr == &w->plan->listener)
            knock = true;
        else if (events[i].data.ptr == &w->signals)
            obey_signals(w);
        else
            serve_held(w, events[i].data.ptr);
    }
    if (knock)
        accept_some(w);
    if (w->held_count > 0)
        expire(w, clock_now());
    empty_queue(w);
}

static bool finished(const struct worker *w)
{
    return w->stop || (w->draining && !w->emptying && w->held_count == 0);
}

static bool open_worker(struct worker *w, const struct worker_plan *plan)
{
    const struct config_pool *c = plan->pool;
    uint32_t workers = c->workers == 0 ? 1 : (uint32_t)c->workers;
    const struct fcgi_config config = {
        .head = {(size_t)c->max_params, (uint32_t)c->max_param_count},
        .values = {(uint32_t)c->max_connections * workers, workers},
        .first_byte_timeout = c->first_byte_timeout,
        .header_timeout = c->header_timeout,
        .body_timeout = c->body_timeout,
        .write_timeout = c->write_timeout,
    };
    *w = (struct worker){.plan = plan,
                         .slot = plan->slot,
                         .held_max = (size_t)c->max_connections};
    w->epoll = epoll_create1(EPOLL_CLOEXEC);
    w->signals = signals_open();
    w->held = calloc(w->held_max, sizeof *w->held);
    w->fcgi = fcgi_new(&config);
    if (w->epoll < 0 || w->signals < 0 || w->held == NULL || w->fcgi == NULL)
        return false;
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = &w->signals};
    if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->signals, &e) != 0)
        return false;
    w->exchange = exchange_new(w->fcgi, plan->endpoints, plan->slot);
    return w->exchange != NULL;
}

static void close_worker(struct worker *w)
{
    while (w->held_count > 0) {
        struct fcgi_conn *conn = w->held[w->held_count - 1];
        release(w, conn);
        fcgi_close(w->fcgi, conn);
    }
    exchange_free(&w->exchange);
    fcgi_free(&w->fcgi);
    free(w->held);
    if (w->signals >= 0)
        close(w->signals);
    if (w->epoll >= 0)
        close(w->epoll);
}

int worker_run(const struct worker_plan *plan)
{
    struct worker w;
    int status = EXIT_FAILURE;
    if (open_worker(&w, plan)) {
        log_set_drop_counter(&plan->slot->counters[COUNTER_log_dropped]);
        scoreboard_state(plan->slot, WORKER_IDLE);
        log_debug("serving");
        while (!finished(&w))
            turn(&w);
        status = EXIT_SUCCESS;
    } else {
        log_error("cannot start serving: %s", strerror(errno));
    }
    close_worker(&w);
    return status;
}
