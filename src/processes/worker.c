/* worker: see worker.h. */
#include "processes/worker.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/fcgi.h"
#include "adapters/listener.h"
#include "adapters/mailbox.h"
#include "adapters/signals.h"
#include "base/clock.h"
#include "base/log.h"
#include "processes/exchange.h"
#include "processes/recycle.h"

/* After accept(2) failed for want of descriptors or memory. */
#define ACCEPT_PAUSE (100 * CLOCK_MS)

/* How often the kernel is asked again to take a connection to the tray. */
#define PARK_RETRY_MS 10

/* New connections served for each parked one when both wait. A proxy that
 * keeps fewer connections than it has clients makes several anew for each that
 * it uses again. */
#define NEW_PER_PARKED 3

/* At the end of the pool: how long a silent new connection is waited for (web
 * servers send at once), and how often one looks whether the tray is empty. */
#define DRAIN_GRACE CLOCK_SECOND
#define DRAIN_LOOK_MS 20

_Static_assert(sizeof(struct fcgi_parcel) <= MAILBOX_NOTE_MAX,
               "an idle connection is parked without a message");

struct worker {
    const struct worker_plan *plan;
    struct scoreboard_slot *slot;
    struct tray *tray;
    struct fcgi *fcgi;
    struct exchange *exchange;
    struct recycle recycle;
    uint8_t *parcel;    /* MAILBOX_BYTES_MAX */
    int64_t complained; /* monotonic ns: the last warning about resources */
    bool stop, unsound; /* leave now; because the self-test failed */
    int64_t drain_end;  /* leave then, or when nothing waits; 0: serve on */
};

static void count(struct worker *w, enum counter c)
{
    scoreboard_count(&w->slot->counters[c]);
}

static void complain(struct worker *w, const char *what, const char *why)
{
    if (log_paced(&w->complained))
        log_warn("%s: %s", what, why);
}

/* --- One connection, owned. --- */

static void close_conn(struct worker *w, struct fcgi_conn *conn)
{
    tray_vacate(w->tray, conn->place, conn->fd);
    conn->fd = -1;
    fcgi_close(w->fcgi, conn);
}

static void refuse(struct worker *w, struct fcgi_conn *conn)
{
    count(w, COUNTER_refused);
    log_info("connection refused: %s", conn->reason);
    close_conn(w, conn);
}

static void expire(struct worker *w, struct fcgi_conn *conn)
{
    if (conn->kept && !conn->started) {
        count(w, COUNTER_idle_closed);
        log_debug("connection closed: keepalive_idle is over");
    } else {
        count(w, COUNTER_silent);
        log_info("connection closed: %s", conn->started
                                              ? "header_timeout is over"
                                              : "first_byte_timeout is over");
    }
    close_conn(w, conn);
}

/* Leave it to whoever has time when its bytes come. */
static bool park(struct worker *w, struct fcgi_conn *conn)
{
    struct fcgi_parcel room;
    struct iovec parts[FCGI_PARCEL_PARTS];
    fcgi_conn_pack(conn, &room, parts);
    if (!tray_park(w->tray, conn->place, &conn->fd, parts, FCGI_PARCEL_PARTS,
                   conn->deadline))
        return false;
    fcgi_close(w->fcgi, conn);
    return true;
}

/* The kernel would not take it to the tray: wait with it for a moment. */
static bool wait_along(struct worker *w, struct fcgi_conn *conn)
{
    count(w, COUNTER_park_errors);
    complain(w, "sharing a connection", strerror(errno));
    signals_hear();
    if (clock_now() >= conn->deadline || w->stop || tray_closing(w->tray))
        return false;
    struct pollfd p = {.fd = conn->fd, .events = POLLIN};
    poll(&p, 1, PARK_RETRY_MS);
    return true;
}

static enum fcgi_progress advance(struct worker *w, struct fcgi_conn *conn)
{
    unsigned managed = 0;
    enum fcgi_progress progress =
        fcgi_conn_advance(conn, clock_now(), &managed);
    for (; managed > 0; managed--)
        count(w, COUNTER_management);
    return progress;
}

/* Not at the end of the pool, when all that waits has to be served. */
static void leave_in_time(struct worker *w)
{
    w->stop = w->stop || (!tray_closing(w->tray) && recycle_due(&w->recycle));
}

/* True: another request may follow on the connection. */
static bool serve_request(struct worker *w, struct fcgi_conn *conn)
{
    if (conn->kept)
        count(w, COUNTER_kept);
    bool keep = exchange_serve(w->exchange, conn) &&
                w->plan->pool->keepalive == CONFIG_KEEPALIVE_ON &&
                !tray_closing(w->tray);
    scoreboard_state(w->slot, WORKER_IDLE);
    leave_in_time(w);
    if (keep)
        fcgi_conn_restart(conn, clock_now());
    return keep;
}

/* Go with `conn` as far as its bytes allow, then let go of it. */
static void serve(struct worker *w, struct fcgi_conn *conn)
{
    for (;;) {
        switch (advance(w, conn)) {
        case FCGI_READY:
            if (!serve_request(w, conn)) {
                close_conn(w, conn);
                return;
            }
            /* The next request is hardly there yet: no use in looking. */
            if (!fcgi_conn_has_more(conn) && park(w, conn))
                return;
            continue;
        case FCGI_WAITING:
            if (park(w, conn))
                return;
            if (wait_along(w, conn))
                continue;
            expire(w, conn);
            return;
        case FCGI_GONE:
            close_conn(w, conn);
            return;
        case FCGI_REFUSED:
            refuse(w, conn);
            return;
        }
    }
}

/* --- New connections. --- */

/* True: one was taken. */
static bool accept_one(struct worker *w)
{
    int place = tray_reserve(w->tray);
    if (place < 0) {
        count(w, COUNTER_full);
        complain(w, "connections wait", "max_connections are open");
        tray_quiet(w->tray);
        tray_pause(w->tray, 0);
        return false;
    }
    int fd = accept4(w->plan->listener, NULL, NULL, SOCK_CLOEXEC);
    int error = errno;
    struct fcgi_conn *conn =
        fd < 0 ? NULL : fcgi_open(w->fcgi, fd, clock_now());
    if (conn == NULL) {
        tray_vacate(w->tray, place, fd);
        tray_quiet(w->tray);
    }
    if (fd < 0 && listener_is_empty(error))
        return false;
    if (conn == NULL) {
        count(w, COUNTER_accept_errors);
        complain(w, "accept", strerror(fd < 0 ? error : ENOMEM));
        tray_pause(w->tray, ACCEPT_PAUSE);
        return false;
    }
    tray_opened(w->tray, place);
    conn->place = place;
    serve(w, conn);
    return true;
}

/* --- Parked connections. --- */

static struct fcgi_conn *take(struct worker *w, int place)
{
    size_t n;
    int fd = tray_take(w->tray, place, w->parcel, &n);
    if (fd < 0 && errno != 0)
        count(w, COUNTER_park_errors);
    if (fd < 0)
        return NULL;
    struct fcgi_conn *conn = fcgi_adopt(w->fcgi, fd, w->parcel, n);
    if (conn == NULL) {
        tray_vacate(w->tray, place, fd);
        return NULL;
    }
    conn->place = place;
    return conn;
}

static void take_and_serve(struct worker *w, int place)
{
    struct fcgi_conn *conn = take(w, place);
    if (conn == NULL)
        return;
    count(w, COUNTER_shared);
    serve(w, conn);
}

static void close_overdue(struct worker *w)
{
    int64_t now = clock_now();
    for (int i = tray_next_due(w->tray, 0, now); i >= 0;
         i = tray_next_due(w->tray, i + 1, now)) {
        struct fcgi_conn *conn = take(w, i);
        if (conn == NULL)
            continue;
        if (conn->deadline > now) /* served meanwhile, or nobody had room */
            serve(w, conn);
        else
            expire(w, conn);
    }
}

/* --- The end. --- */

/* An idle kept connection is closed; the others get a moment to go on. */
static void hurry(struct worker *w, struct fcgi_conn *conn, int64_t now)
{
    if (conn->deadline > now + DRAIN_GRACE)
        conn->deadline = now + DRAIN_GRACE;
    struct pollfd p = {.fd = conn->fd, .events = POLLIN};
    if (conn->kept && !conn->started && poll(&p, 1, 0) == 0)
        close_conn(w, conn);
    else
        serve(w, conn);
}

static void start_draining(struct worker *w)
{
    int64_t now = clock_now();
    w->drain_end = now + w->plan->pool->drain_timeout;
    tray_close(w->tray);
    while (!w->plan->adopted && accept_one(w))
        ;
    for (int i = tray_next_due(w->tray, 0, CLOCK_NEVER - 1); i >= 0;
         i = tray_next_due(w->tray, i + 1, CLOCK_NEVER - 1)) {
        struct fcgi_conn *conn = take(w, i);
        if (conn != NULL)
            hurry(w, conn, now);
    }
}

static void obey_stop(struct worker *w)
{
    bool pool_ends = tray_closing(w->tray) || getppid() != w->plan->supervisor;
    if (!pool_ends)
        w->stop = true; /* the others go on: nothing waits for this one */
    else if (w->drain_end == 0)
        start_draining(w);
    else
        w->stop = w->plan->supervisor == 0; /* else it has its own limit */
}

static void obey_signals(struct worker *w)
{
    signals_hear();
    if (signals_take(SIGUSR1))
        log_reopen();
    bool term = signals_take(SIGTERM), quit = signals_take(SIGQUIT);
    if (signals_take(SIGINT))
        w->stop = true;
    else if (term || quit)
        obey_stop(w);
}

static bool finished(const struct worker *w)
{
    return w->stop || w->unsound ||
           (w->drain_end != 0 &&
            (tray_is_empty(w->tray) || clock_now() >= w->drain_end));
}

/* --- The loop. --- */

/* Some new connections where they wait, then one that was parked: neither kind
 * can keep the other waiting for long. */
static void turn(struct worker *w)
{
    int place = -1;
    int64_t interval = w->plan->pool->selftest_interval;
    int limit = exchange_test_wait(w->exchange, interval);
    limit =
        w->drain_end == 0 ? recycle_wait(&w->recycle, limit) : DRAIN_LOOK_MS;
    for (int i = 0; i < NEW_PER_PARKED && tray_knocking(w->tray) &&
                    !tray_closing(w->tray) && !w->stop;
         i++)
        if (accept_one(w))
            limit = 0;
    switch (w->stop ? TRAY_NOTHING
                    : tray_wait(w->tray, signals_waiting(), limit, &place)) {
    case TRAY_KNOCK:
        accept_one(w);
        break;
    case TRAY_REQUEST:
        take_and_serve(w, place);
        break;
    case TRAY_CLOCK:
        close_overdue(w);
        break;
    case TRAY_NOTHING:
        break;
    }
    obey_signals(w);
    leave_in_time(w);
    w->unsound = !exchange_test_due(w->exchange, interval);
}

static bool open_worker(struct worker *w, const struct worker_plan *plan)
{
    const struct config_pool *c = plan->pool;
    uint32_t workers = c->workers == 0 ? 1 : (uint32_t)c->workers;
    const struct fcgi_config config = {
        .head = {(size_t)c->max_params, (uint32_t)c->max_param_count},
        .values = {(uint32_t)c->max_connections, workers},
        .first_byte_timeout = c->first_byte_timeout,
        .header_timeout = c->header_timeout,
        .keepalive_idle = c->keepalive_idle,
        .body_timeout = c->body_timeout,
        .write_timeout = c->write_timeout,
    };
    *w = (struct worker){.plan = plan, .slot = plan->slot, .tray = plan->tray};
    w->parcel = malloc(MAILBOX_BYTES_MAX);
    w->fcgi = fcgi_new(&config);
    if (w->parcel == NULL || w->fcgi == NULL)
        return false;
    w->exchange = exchange_new(w->fcgi, plan->endpoints, plan->slot);
    return w->exchange != NULL;
}

static void close_worker(struct worker *w)
{
    exchange_free(&w->exchange);
    fcgi_free(&w->fcgi);
    free(w->parcel);
}

int worker_run(const struct worker_plan *plan)
{
    struct worker w;
    int status = EXIT_FAILURE;
    if (!open_worker(&w, plan)) {
        log_error("cannot start serving: %s", strerror(errno));
    } else if (exchange_test(w.exchange)) {
        if (plan->supervisor != 0)
            recycle_begin(&w.recycle, plan->pool, plan->slot);
        log_set_drop_counter(&plan->slot->counters[COUNTER_log_dropped]);
        scoreboard_state(plan->slot, WORKER_IDLE);
        log_debug("serving");
        while (!finished(&w))
            turn(&w);
        status = w.unsound ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    close_worker(&w);
    return status;
}
