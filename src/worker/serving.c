/* serving: see serving.h. */
#include "worker/serving.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "conn_pool/fd_store.h"
#include "listen/listener.h"
#include "os/signals.h"
#include "supervisor/busy_watch.h"
#include "worker/self_watchdog.h"

/* After accept(2) failed for want of descriptors or memory. */
#define ACCEPT_PAUSE (100 * CLOCK_MS)

/* How often the kernel is asked again to take a connection into the pool. */
#define PARK_RETRY_MS 10

/* At the end of the pool: how long the next request is waited for on a kept
 * connection, since the last one; and its rest once it has begun, or a new
 * connection's first, which its peer cannot take back any more and which the
 * network may have lost on its first ways. */
#define KEPT_GRACE CLOCK_SECOND
#define BEGUN_GRACE (5 * CLOCK_SECOND)

/* And what a peer sends behind its last reply: less than what the pool gives
 * those whom it refuses (REFUSE_LIMIT), which are the last to have a reply. */
#define LINGER_GRACE (CLOCK_SECOND / 2)

_Static_assert(sizeof(struct fcgi_parcel) <= FD_STORE_NOTE_MAX,
               "an idle connection is parked without a message");

static void count(struct serving *s, enum counter c)
{
    scoreboard_count(&s->plan->slot->counters[c]);
}

static void complain(struct serving *s, const char *what, const char *why)
{
    if (log_paced(&s->complained))
        log_warn("%s: %s", what, why);
}

/* --- One connection, owned. --- */

static void close_conn(struct serving *s, struct fcgi_conn *conn)
{
    conn_pool_vacate(s->plan->conn_pool, conn->slot, conn->fd);
    conn->fd = -1;
    fcgi_close(s->fcgi, conn);
}

static void refuse(struct serving *s, struct fcgi_conn *conn)
{
    count(s, COUNTER_refused);
    if (log_paced(&s->refused))
        log_info("connection refused: %s", conn->reason);
    close_conn(s, conn);
}

/* Between two requests. */
static bool is_idle(const struct fcgi_conn *conn)
{
    return conn->kept && !conn->started;
}

static void expire(struct serving *s, struct fcgi_conn *conn)
{
    if (conn->lingering) {
        log_debug("connection closed: the peer went on after the reply");
    } else if (is_idle(conn) && conn_pool_closing(s->plan->conn_pool)) {
        log_debug("connection closed: the pool stops");
    } else if (is_idle(conn)) {
        count(s, COUNTER_idle_closed);
        log_debug("connection closed: keepalive_idle is over");
    } else {
        count(s, COUNTER_silent);
        if (log_paced(&s->expired))
            log_info("connection closed: %s",
                     conn->started ? "header_timeout is over"
                                   : "first_byte_timeout is over");
    }
    close_conn(s, conn);
}

/* It is not waited for much longer. Doing this again changes nothing. */
static void hasten(struct fcgi_conn *conn)
{
    int64_t end = conn->lingering ? clock_now() + LINGER_GRACE
                  : is_idle(conn) ? conn->since + KEPT_GRACE
                                  : clock_now() + BEGUN_GRACE;
    conn->deadline = clock_earlier(conn->deadline, end);
}

/* Leave it to whoever has time: when its bytes come, or at once (`queue`), when
 * those that wait have been served. */
static bool leave(struct serving *s, struct fcgi_conn *conn, bool queue)
{
    struct fcgi_parcel room;
    struct iovec parts[FCGI_PARCEL_PARTS];
    struct conn_pool *pool = s->plan->conn_pool;
    if (conn_pool_closing(pool))
        hasten(conn);
    fcgi_conn_pack(conn, &room, parts);
    enum conn_pool_parking how = queue ? CONN_POOL_QUEUED
                                 : fcgi_conn_is_drained(conn)
                                     ? CONN_POOL_DRAINED
                                     : CONN_POOL_UNREAD;
    if (!conn_pool_park(pool, conn->slot, &conn->fd, parts, FCGI_PARCEL_PARTS,
                        conn->deadline, how))
        return false;
    fcgi_close(s->fcgi, conn);
    return true;
}

static bool park(struct serving *s, struct fcgi_conn *conn)
{
    return leave(s, conn, false);
}

/* The kernel would not take it into the pool: wait with it for a moment. */
static void wait_along(struct serving *s, struct fcgi_conn *conn)
{
    count(s, COUNTER_park_errors);
    complain(s, "sharing a connection", strerror(errno));
    signals_hear();
    scoreboard_goes_on(s->plan->slot); /* it is not stuck */
    if (s->stop || signals_tell_to_stop())
        hasten(conn);
    struct pollfd p = {.fd = conn->fd, .events = POLLIN};
    poll(&p, 1, PARK_RETRY_MS);
}

static enum fcgi_progress advance(struct serving *s, struct fcgi_conn *conn,
                                  int64_t now)
{
    unsigned managed = 0;
    enum fcgi_progress progress = fcgi_conn_advance(conn, now, &managed);
    for (; managed > 0; managed--)
        count(s, COUNTER_management);
    return progress;
}

/* Not at the end of the pool, when all that waits has to be served. */
void serving_leave_in_time(struct serving *s)
{
    s->stop = s->stop || (!conn_pool_closing(s->plan->conn_pool) &&
                          (backtrace_is_asked(&s->plan->slot->stack) ||
                           recycle_due(&s->recycle)));
}

/* A request has begun: the supervisor, if it sleeps, has to look at it and at
 * those that wait meanwhile; without a supervisor a timer does. */
static void be_watched(const struct serving *s, const struct fcgi_conn *conn)
{
    if (s->plan->supervisor == 0)
        self_watchdog_begin(conn->due);
    else if (busy_watch_must_call(s->plan->board) &&
             getppid() == s->plan->supervisor)
        kill(s->plan->supervisor, SIGALRM);
}

static bool pool_is_stopped(const struct serving *s)
{
    return s->refuses || scoreboard_read_stage(s->plan->board) == POOL_REFUSING;
}

/* True: another request may follow on the connection. */
static bool serve_request(struct serving *s, struct fcgi_conn *conn)
{
    idle_set_busy(&s->plan->seat);
    exchange_begin(s->exchange);
    be_watched(s, conn);
    struct queue_policy_wait wait = queue_wait_tell(&s->waiting, conn->aside);
    wait.stopped = pool_is_stopped(s);
    bool keep = exchange_serve(s->exchange, conn, &wait) &&
                s->plan->pool->keepalive == CONFIG_keepalive_on &&
                !wait.stopped;
    int64_t now = clock_now();
    scoreboard_state(s->plan->slot, WORKER_IDLE);
    self_watchdog_end();
    idle_set_idle(&s->plan->seat);
    serving_leave_in_time(s);
    if (!keep || now >= s->keep_until)
        return false;
    fcgi_conn_restart(conn, now);
    return true;
}

/* A client may send its requests one behind another without end. Is there
 * anything else for this worker to do: leave, obey a signal, test itself, or
 * serve who waits? */
static bool is_wanted_elsewhere(struct serving *s)
{
    bool told = signals_hear();
    return told || s->stop || exchange_test_wait(s->exchange) == 0 ||
           conn_pool_others_wait(s->plan->conn_pool);
}

/* Between two requests. Where nothing more was read, and nobody was told of
 * more, the next one is hardly there yet: no use in looking. If it is there and
 * no other request waits, to go on with it wakes nobody. */
static bool let_go(struct serving *s, struct fcgi_conn *conn)
{
    struct conn_pool *pool = s->plan->conn_pool;
    bool more = fcgi_conn_has_more(conn);
    bool come = !more && conn_pool_has_come(pool, conn->slot);
    if ((!more && !come) || is_wanted_elsewhere(s))
        return leave(s, conn, more);
    if (come) {
        conn_pool_heed(pool, conn->slot);
        conn->reads = 0; /* as if this worker had been told of it */
    }
    return false;
}

/* Go with `conn` as far as its bytes allow, then let go of it; between two
 * requests, as soon as something else is to be done. Bytes that never make a
 * request do not keep it beyond its time. */
static void serve(struct serving *s, struct fcgi_conn *conn, int64_t now)
{
    for (;; now = clock_now()) {
        switch (advance(s, conn, now)) {
        case FCGI_READY:
            if (serve_request(s, conn)) {
                if (let_go(s, conn))
                    return;
            } else if (!fcgi_conn_linger(conn, clock_now())) {
                close_conn(s, conn);
                return;
            }
            continue;
        case FCGI_WAITING:
            if (conn_pool_closing(s->plan->conn_pool))
                hasten(conn);
            if (clock_now() >= conn->deadline) {
                expire(s, conn);
                return;
            }
            if (park(s, conn))
                return;
            wait_along(s, conn);
            continue;
        case FCGI_GONE:
            close_conn(s, conn);
            return;
        case FCGI_REFUSED:
            refuse(s, conn);
            return;
        }
    }
}

/* --- New connections. --- */

/* A connection from somebody who may not connect. */
static void deny(struct serving *s, int slot, int fd,
                 const struct sockaddr_storage *peer)
{
    char name[INET6_ADDRSTRLEN] = "?";
    const void *address =
        peer->ss_family == AF_INET
            ? (const void *)&((const struct sockaddr_in *)peer)->sin_addr
            : &((const struct sockaddr_in6 *)peer)->sin6_addr;
    count(s, COUNTER_denied);
    inet_ntop(peer->ss_family, address, name, sizeof name);
    if (log_paced(&s->denied))
        log_warn("connection of %s closed: not allowed", name);
    conn_pool_vacate(s->plan->conn_pool, slot, fd);
}

bool serving_accept(struct serving *s)
{
    if (!conn_pool_accepts(s->plan->conn_pool))
        return false;
    int slot = conn_pool_reserve(s->plan->conn_pool);
    if (slot < 0) {
        count(s, COUNTER_full);
        complain(s, "connections wait", "max_connections are open");
        conn_pool_quiet(s->plan->conn_pool);
        conn_pool_pause(s->plan->conn_pool, 0);
        return false;
    }
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    struct sockaddr *from = (struct sockaddr *)&peer;
    /* Before: what comes until the listener is shut is served. */
    bool closing = conn_pool_closing(s->plan->conn_pool);
    int fd = accept4(s->plan->listener->fd, from, &length, SOCK_CLOEXEC);
    int error = errno;
    if (fd >= 0) /* whatever becomes of it, it stood in the queue */
        queue_wait_accepted(&s->waiting);
    if (fd >= 0 && !peers_may_connect(&s->peers, from)) {
        deny(s, slot, fd, &peer);
        return true;
    }
    int64_t now = clock_now();
    struct fcgi_conn *conn = fd < 0 ? NULL : fcgi_open(s->fcgi, fd, now);
    if (conn == NULL) {
        conn_pool_vacate(s->plan->conn_pool, slot, fd);
        conn_pool_quiet(s->plan->conn_pool);
    }
    if (fd < 0 && error == EAGAIN && closing)
        conn_pool_found_empty(s->plan->conn_pool);
    if (fd < 0 && listener_is_empty(error))
        return false;
    if (conn == NULL) {
        count(s, COUNTER_accept_errors);
        complain(s, "accept", strerror(fd < 0 ? error : ENOMEM));
        conn_pool_pause(s->plan->conn_pool, ACCEPT_PAUSE);
        return false;
    }
    conn_pool_opened(s->plan->conn_pool, slot);
    conn->slot = slot;
    serve(s, conn, now);
    return true;
}

/* --- Parked connections. --- */

static struct fcgi_conn *take(struct serving *s, int slot)
{
    size_t n;
    int64_t came;
    int fd = conn_pool_take(s->plan->conn_pool, slot, s->parcel, &n, &came);
    if (fd < 0 && errno != 0)
        count(s, COUNTER_park_errors);
    if (fd < 0)
        return NULL;
    struct fcgi_conn *conn = fcgi_adopt(s->fcgi, fd, s->parcel, n);
    if (conn == NULL) {
        conn_pool_vacate(s->plan->conn_pool, slot, fd);
        return NULL;
    }
    conn->slot = slot;
    queue_wait_taken(&s->waiting, came);
    return conn;
}

void serving_take(struct serving *s, int slot)
{
    struct fcgi_conn *conn = take(s, slot);
    if (conn == NULL)
        return;
    count(s, COUNTER_shared);
    int64_t now = clock_now();
    if (conn_pool_saw_peer(s->plan->conn_pool, slot))
        conn->present = now;
    serve(s, conn, now);
}

/* Is there something to read, or the end; or was something read already? */
static bool has_come(const struct fcgi_conn *conn)
{
    struct pollfd p = {.fd = conn->fd, .events = POLLIN};
    return fcgi_conn_has_more(conn) || poll(&p, 1, 0) != 0;
}

/* What has come while no worker had time to look came in time. */
void serving_close_overdue(struct serving *s)
{
    int64_t now = clock_now();
    for (int i = conn_pool_next_due(s->plan->conn_pool, 0, now); i >= 0;
         i = conn_pool_next_due(s->plan->conn_pool, i + 1, now)) {
        struct fcgi_conn *conn = take(s, i);
        if (conn == NULL)
            continue;
        /* Served meanwhile, or nobody had room, or nobody had looked. */
        if (conn->deadline > now || has_come(conn))
            serve(s, conn, clock_now());
        else
            expire(s, conn);
    }
}

/* --- The end of the pool. --- */

void serving_hurry(struct serving *s, bool first)
{
    int64_t due = clock_now() + (first ? KEPT_GRACE : BEGUN_GRACE);
    for (int i = conn_pool_next_late(s->plan->conn_pool, 0, due); i >= 0;
         i = conn_pool_next_late(s->plan->conn_pool, i + 1, due)) {
        struct fcgi_conn *conn = take(s, i);
        if (conn != NULL)
            serve(s, conn, clock_now());
    }
}

/* --- From start to end. --- */

bool serving_open(struct serving *s, const struct worker_plan *plan)
{
    const struct config_pool *c = plan->pool;
    const struct fcgi_config config = {
        .head = {(size_t)c->max_params, (uint32_t)c->max_param_count},
        .values = {conn_pool_slots(plan->conn_pool), plan->workers_most},
        .first_byte_timeout = c->first_byte_timeout,
        .header_timeout = c->header_timeout,
        .keepalive_idle = c->keepalive_idle,
        .body_timeout = c->body_timeout,
        .write_timeout = c->write_timeout,
        .request_timeout = c->request_timeout,
    };
    char room[160];
    struct buf why;
    buf_init(&why, room, sizeof room);
    if (!peers_open(&s->peers, c->allow, getenv(PEERS_VARIABLE), &why)) {
        errno = EINVAL; /* both were checked before */
        return false;
    }
    s->plan = plan;
    s->keep_until = CLOCK_NEVER;
    queue_wait_open(&s->waiting, c, plan->conn_pool,
                    plan->supervisor == 0 ? NULL : plan->board);
    s->parcel = malloc(FD_STORE_BYTES_MAX);
    s->fcgi = fcgi_new(&config);
    if (s->parcel == NULL || s->fcgi == NULL)
        return false;
    s->exchange = exchange_new(plan, s->fcgi);
    return s->exchange != NULL;
}

void serving_close(struct serving *s)
{
    exchange_free(&s->exchange);
    fcgi_free(&s->fcgi);
    free(s->parcel);
}
