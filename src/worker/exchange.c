/* exchange: see exchange.h. */
#include "worker/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/cutoff.h"
#include "base/entropy.h"
#include "base/log.h"
#include "base/probe.h"
#include "downstream/downstream.h"
#include "scoreboard/view.h"
#include "worker/handler.h"
#include "worker/phases.h"
#include "worker/ping.h"
#include "worker/queue_policy.h"
#include "worker/reply.h"
#include "worker/requestlog.h"

/* A longer path is cut, which no endpoint's own path can match. */
#define PATH_BYTES 2048

/* How long the body of a request is taken that is not served: most web servers
 * read no reply before they have sent all of it. */
#define REFUSED_BODY (100 * CLOCK_MS)

struct exchange {
    const struct worker_plan *plan;
    struct fcgi *fcgi;
    struct handler *handler;
    struct downstream *downstream;
    struct entropy entropy;
    struct trace trace;
    struct phases phases;
    int64_t due; /* monotonic ns: when the request in hand has to be done */
    uint64_t body_bytes; /* taken of the body in hand */
    const char *method;  /* "": it has none */
    int64_t tested;      /* monotonic ns of the last self-test */
    int64_t refused;     /* monotonic ns of the last line about a refusal */
    size_t path_len;
    char path[PATH_BYTES];
    char reply[REPLY_MAX + 1];
};

static enum outcome post(void *context, const struct endpoint *e,
                         const struct downstream_post *p,
                         struct downstream_report *report)
{
    struct exchange *x = context;
    scoreboard_state(x->plan->slot, WORKER_POSTING);
    PROBE_DOWNSTREAM_START(x->trace.request_id, e->config->name);
    enum outcome o =
        downstream_post(x->downstream, e->target, p, x->due, report);
    PROBE_DOWNSTREAM_END(x->trace.request_id, o, report->status);
    phases_spend(&x->phases, TIMING_downstream);
    if (report->connect_us > 0)
        phases_set(&x->phases, TIMING_connect, report->connect_us * 1000);
    if (report->first_byte_us > 0)
        phases_set(&x->phases, TIMING_first_byte, report->first_byte_us * 1000);
    scoreboard_state(x->plan->slot, WORKER_BUSY);
    return o;
}

static const char *param_of(const void *context, const char *name)
{
    const struct exchange *x = context;
    return fcgi_param(x->fcgi, name);
}

static bool abandoned(void *context)
{
    struct exchange *x = context;
    phases_spend(&x->phases, TIMING_decode); /* it is asked after that */
    return fcgi_abandoned(x->fcgi, x->phases.mark);
}

struct exchange *exchange_new(const struct worker_plan *plan, struct fcgi *fcgi)
{
    /* Of a reply no page is touched before one has to be printed there. */
    struct exchange *x = malloc(sizeof *x);
    if (x == NULL)
        return NULL;
    memset(x, 0, offsetof(struct exchange, path));
    const struct handler_peers peers = {x, post, abandoned};
    x->plan = plan;
    x->fcgi = fcgi;
    x->handler = handler_new(plan->endpoints, plan->slot, &peers);
    x->downstream = downstream_new();
    if (x->handler == NULL || x->downstream == NULL)
        exchange_free(&x);
    return x;
}

void exchange_free(struct exchange **x)
{
    if (*x == NULL)
        return;
    handler_free(&(*x)->handler);
    downstream_free(&(*x)->downstream);
    free(*x);
    *x = NULL;
}

/* --- The head. --- */

static const char *param(const struct exchange *x, const char *name)
{
    const char *value = fcgi_param(x->fcgi, name);
    return value == NULL ? "" : value;
}

/* The path of the request: SCRIPT_NAME and PATH_INFO together are the path
 * the client asked for (RFC 3875, 4.1.5 and 4.1.13), decoded and cleaned by
 * the web server. A server that sends neither sends the URI. */
static void find_path(struct exchange *x)
{
    struct buf path;
    buf_init(&path, x->path, sizeof x->path);
    buf_str(&path, param(x, "SCRIPT_NAME"));
    buf_str(&path, param(x, "PATH_INFO"));
    if (path.len == 0)
        buf_str(&path, param(x, "DOCUMENT_URI"));
    if (path.len == 0) {
        const char *uri = param(x, "REQUEST_URI");
        buf_add(&path, uri, strcspn(uri, "?"));
    }
    x->path_len = path.len;
}

/* Its body is not of interest. */
static void hurry_body(struct exchange *x, struct fcgi_conn *conn)
{
    int64_t due = x->phases.begun + REFUSED_BODY;
    if (conn->due > due)
        conn->due = x->due = due;
}

/* One that has waited for too long is not served, nor waited with for a body
 * that is not there yet. */
static struct queue_policy_verdict judge_wait(struct exchange *x,
                                              struct fcgi_conn *conn,
                                              struct queue_policy_wait *wait)
{
    const char *stamp = fcgi_param(x->fcgi, "QUEUED_AT");
    wait->stamped =
        stamp == NULL ? -1 : queue_policy_stamp(stamp, clock_wall());
    if (wait->stamped >= 0)
        phases_set(&x->phases, TIMING_queue, wait->stamped);
    const struct queue_policy_verdict v =
        queue_policy_judge(x->plan->pool, wait);
    if (v.outcome != OUTCOME_ok)
        hurry_body(x, conn);
    return v;
}

static void begin(struct exchange *x, struct fcgi_conn *conn,
                  struct queue_policy_wait *wait)
{
    struct fcgi *f = x->fcgi;
    trace_make(&x->trace, fcgi_param(f, "HTTP_X_REQUEST_ID"),
               fcgi_param(f, "HTTP_TRACEPARENT"),
               fcgi_param(f, "HTTP_TRACESTATE"),
               entropy_take(&x->entropy, TRACE_RANDOM_BYTES));
    const struct queue_policy_verdict judged = judge_wait(x, conn, wait);
    const char *key = fcgi_param(f, "HTTP_IDEMPOTENCY_KEY");
    const struct handler_request request = {
        .path_len = x->path_len,
        .path = x->path,
        .method = x->method,
        .content_length = fcgi_content_length(f),
        .content_encoding = fcgi_param(f, "HTTP_CONTENT_ENCODING"),
        .idempotency_key = key,
        .several_keys =
            key != NULL && fcgi_param_differs(f, "HTTP_IDEMPOTENCY_KEY"),
        .too_large = conn->head.excess,
        .trace = &x->trace,
        .wait = &judged,
        .loop = x->plan->sampler != NULL &&
                shadow_sampler_is_loop(x->plan->sampler,
                                       fcgi_param(f, SHADOW_LOOP_PARAM)),
    };
    scoreboard_note_request(x->plan->slot, x->method, x->path,
                            x->trace.request_id);
    PROBE_REQUEST_START(x->trace.request_id, x->path);
    handler_begin(x->handler, &request);
    if (x->plan->sampler == NULL)
        return;
    const struct shadow_sampler_request sampled = {
        .path = x->path,
        .path_len = x->path_len,
        .wants_body =
            handler_wants_body(x->handler) && !handler_is_encoded(x->handler),
        .param = param_of,
        .context = x};
    shadow_sampler_begin(x->plan->sampler, &sampled);
}

/* --- The body. --- */

/* Where no byte had to be read no time has passed, and no clock is read. */
static enum fcgi_body read_piece(struct exchange *x,
                                 const struct fcgi_conn *conn,
                                 const uint8_t **bytes, size_t *n)
{
    unsigned reads = conn->reads;
    enum fcgi_body got = fcgi_read(x->fcgi, bytes, n);
    bool was_there = got == FCGI_BODY_MORE || got == FCGI_BODY_END;
    if (!was_there || conn->reads != reads)
        phases_spend(&x->phases, TIMING_body);
    return got;
}

static enum handler_end read_body(struct exchange *x,
                                  const struct fcgi_conn *conn)
{
    scoreboard_state(x->plan->slot, WORKER_READING);
    phases_skip(&x->phases);
    phases_set(&x->phases, TIMING_body, 0);
    for (;;) {
        const uint8_t *bytes;
        size_t n;
        enum fcgi_body got = read_piece(x, conn, &bytes, &n);
        switch (got) {
        case FCGI_BODY_MORE:
            handler_chunk(x->handler, bytes, n);
            if (x->plan->sampler != NULL)
                shadow_sampler_chunk(x->plan->sampler, bytes, n);
            phases_spend(&x->phases, TIMING_decode);
            x->body_bytes += n;
            if (x->phases.mark >= x->due)
                return HANDLER_OVERDUE;
            continue;
        case FCGI_BODY_END:
            return x->phases.mark >= x->due ? HANDLER_LATE : HANDLER_COMPLETE;
        case FCGI_BODY_GONE:
            return HANDLER_CLIENT_GONE;
        case FCGI_BODY_TIMEOUT:
            return HANDLER_TIMEOUT;
        case FCGI_BODY_OVERDUE:
            return cutoff_is_over() ? HANDLER_STOPPED : HANDLER_OVERDUE;
        case FCGI_BODY_BROKEN:
            return HANDLER_BROKEN;
        }
    }
}

/* --- The end. --- */

static void count(struct exchange *x, const struct handler_result *r)
{
    struct scoreboard_slot *s = x->plan->slot;
    scoreboard_count(&s->outcomes[r->outcome]);
    scoreboard_add(&s->counters[COUNTER_body_bytes], x->body_bytes);
    scoreboard_add(&s->counters[COUNTER_downstream_posts], r->downstream.posts);
    scoreboard_add(&s->counters[COUNTER_downstream_connects],
                   r->downstream.connects);
    scoreboard_add(&s->counters[COUNTER_downstream_resends],
                   r->downstream.resends);
    if (r->dry_run)
        scoreboard_count(&s->counters[COUNTER_downstream_dry_runs]);
    if (r->check != DECODER_UNCHECKED)
        scoreboard_count(&s->counters[COUNTER_verified]);
    if (r->check == DECODER_DIFFERENT)
        scoreboard_count(&s->counters[COUNTER_mismatches]);
}

static struct requestlog_entry entry_of(const struct exchange *x,
                                        const struct handler_result *r)
{
    return (struct requestlog_entry){.method = x->method,
                                     .path = x->path,
                                     .trace = &x->trace,
                                     .result = r,
                                     .phases = &x->phases,
                                     .body_bytes = x->body_bytes};
}

static void reply(struct exchange *x, const struct handler_result *r)
{
    struct buf out;
    buf_init(&out, x->reply, sizeof x->reply);
    reply_print(&out, r, &x->trace, strcmp(x->method, "HEAD") == 0);
    scoreboard_state(x->plan->slot, WORKER_WRITING);
    phases_skip(&x->phases);
    bool taken = fcgi_reply(x->fcgi, out.data, out.len);
    phases_spend(&x->phases, TIMING_write);
    if (taken)
        return;
    scoreboard_count(&x->plan->slot->counters[COUNTER_truncated]);
    requestlog_not_taken(&x->trace);
}

/* The reply has left: what was sampled goes to the shadow. */
static void hand_over(struct exchange *x, const struct handler_result *r)
{
    const struct shadow_sampler_reply answered = {
        .endpoint = r->endpoint == NULL ? NULL : r->endpoint->config->name,
        .outcome = r->outcome,
        .result = r->result,
        .result_len = r->result_len,
        .response = x->reply};
    shadow_sampler_end(x->plan->sampler, &answered, &x->trace);
}

void exchange_begin(struct exchange *x)
{
    phases_begin(&x->phases, x->plan->slot);
    cutoff_begin(x->phases.begun);
    scoreboard_begin(x->plan->slot, x->phases.begun);
    scoreboard_state(x->plan->slot, WORKER_BUSY);
}

/* --- Checks, which are no requests. --- */

static bool is_ping(const struct exchange *x, const struct fcgi_conn *conn)
{
    return conn->head.excess == NULL &&
           ping_is(x->plan->pool->ping_path, x->method, x->path, x->path_len);
}

static bool answer_ping(struct exchange *x, struct fcgi_conn *conn)
{
    struct view v;
    struct buf out;
    const uint8_t *bytes;
    size_t n;
    scoreboard_count(&x->plan->slot->counters[COUNTER_pings]);
    view_glance(&v, x->plan->board, NULL);
    buf_init(&out, x->reply, sizeof x->reply);
    ping_print(&out, view_fault(&v) == NULL, strcmp(x->method, "HEAD") == 0);
    hurry_body(x, conn);
    while (fcgi_read(x->fcgi, &bytes, &n) == FCGI_BODY_MORE &&
           clock_now() < conn->due)
        continue;
    fcgi_reply(x->fcgi, out.data, out.len);
    return fcgi_end(x->fcgi);
}

bool exchange_serve(struct exchange *x, struct fcgi_conn *conn,
                    struct queue_policy_wait *wait)
{
    x->due = conn->due;
    x->body_bytes = 0;
    if (!fcgi_begin(x->fcgi, conn)) {
        scoreboard_count(&x->plan->slot->counters[COUNTER_refused]);
        if (log_paced(&x->refused))
            log_warn("connection refused: %s", conn->reason);
        return false;
    }
    x->method = param(x, "REQUEST_METHOD");
    find_path(x);
    if (is_ping(x, conn))
        return answer_ping(x, conn);
    if (conn->kept)
        scoreboard_count(&x->plan->slot->counters[COUNTER_kept]);
    begin(x, conn, wait);
    const struct handler_result *r =
        handler_finish(x->handler, read_body(x, conn));
    if (x->phases.spent[TIMING_downstream] == PHASES_UNSEEN)
        phases_spend(&x->phases, TIMING_decode);
    /* Counted and logged first: whoever has the reply finds both there. */
    count(x, r);
    const struct requestlog_entry entry = entry_of(x, r);
    requestlog_result(&entry);
    if (r->outcome != OUTCOME_client_gone)
        reply(x, r);
    PROBE_DONE(x->trace.request_id, r->outcome,
               x->phases.mark - x->phases.begun);
    requestlog_done(&entry, x->plan->pool->slow_threshold);
    phases_end(&x->phases, r->outcome);
    if (x->plan->sampler != NULL)
        hand_over(x, r);
    return fcgi_end(x->fcgi);
}

/* --- The self-test. --- */

bool exchange_test(struct exchange *x)
{
    char room[512];
    struct buf why;
    struct scoreboard_slot *s = x->plan->slot;
    buf_init(&why, room, sizeof room);
    bool sound = handler_selftest(x->handler, &why);
    x->tested = clock_now();
    scoreboard_count(&s->counters[COUNTER_selftests]);
    if (!sound) {
        scoreboard_count(&s->counters[COUNTER_selftest_failures]);
        log_error("the self-test failed: %s", room);
    }
    atomic_store_explicit(&s->tested, x->tested, memory_order_relaxed);
    atomic_store_explicit(&s->unsound, !sound, memory_order_relaxed);
    return sound;
}

bool exchange_test_due(struct exchange *x)
{
    int64_t interval = x->plan->pool->selftest_interval;
    return interval == 0 || clock_now() - x->tested < interval ||
           exchange_test(x);
}

int exchange_test_wait(const struct exchange *x)
{
    int64_t interval = x->plan->pool->selftest_interval;
    return interval == 0 ? -1
                         : clock_poll_ms(x->tested + interval, clock_now());
}
