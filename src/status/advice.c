/* advice: see advice.h. */
#include "status/advice.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "shadow/shadow_report.h"

/* A request in hand for longer than this is worth a look. */
#define LONG_MS 60000

/* Fewer requests than this in the last minute make no share. */
#define SHARE_OF 20

struct notes {
    struct advice *list;
    size_t count;
};

__attribute__((format(printf, 4, 5))) static void
note(struct notes *n, bool urgent, const char *key, const char *fmt, ...)
{
    if (n->count == ADVICE_MOST)
        return;
    struct advice *a = &n->list[n->count++];
    a->urgent = urgent;
    a->key = key;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(a->text, sizeof a->text, fmt, ap);
    va_end(ap);
}

/* --- Now. --- */

/* What more workers would take. What an event loop does is measured:
 * bench/results/run.md, "With no setting". */
static const char *cure(const struct view *v, char *text, size_t room)
{
    if (v->bound == WORKERS_BOUND_SETTING)
        return "More workers can wait for more downstreams.";
    snprintf(text, room, "There can be no more than %u, limited by %s.%s",
             v->workers_most, scoreboard_bound_text(v->bound),
             v->bound == WORKERS_BOUND_MOST
                 ? " That many did 1.00 times the requests of an event loop; "
                   "beyond, an event loop does more."
                 : "");
    return text;
}

static void note_busy(const struct view *v, struct notes *n)
{
    char room[200];
    if (v->waiting.count == 0)
        note(n, true, "workers",
             "All workers are busy; further requests wait. %s",
             cure(v, room, sizeof room));
    else
        note(n, true, "workers",
             "All workers are busy and %" PRIu64 " requests wait, the longest "
             "for %.1f s. %s",
             v->waiting.count, (double)v->waiting.longest / 1e9,
             cure(v, room, sizeof room));
}

/* More are allowed, and none comes. */
static void note_held(const struct view *v, struct notes *n)
{
    if (v->stage != POOL_SERVING || v->failing || !view_is_saturated(v))
        return;
    note(n, true, "",
         "All workers are busy and %" PRIu64 " requests wait, the longest for "
         "%.1f s; of %u workers there are %u: the CPUs are full. There an "
         "event loop does up to 1.2 times the requests.",
         v->waiting.count, (double)v->waiting.longest / 1e9, v->workers_most,
         v->workers);
}

static void look_at_workers(const struct view *v, struct notes *n)
{
    if (v->stage == POOL_LEAVING)
        note(n, false, "",
             "The pool is told to stop: /readyz fails, and it serves until "
             "stop_delay is over.");
    else if (v->stage != POOL_SERVING)
        note(n, false, "", "The pool is draining: it finishes and stops.");
    else if (v->failing && v->alive < v->workers)
        note(n, true, "",
             "%u of %u workers are not there, and the last one that was "
             "started failed: the log says why. It is tried again with growing "
             "pauses.",
             v->workers - v->alive, v->workers);
    else if (v->alive < v->workers)
        note(n, true, "",
             "%u of %u workers are not there. If they stay away the log says "
             "why they end.",
             v->workers - v->alive, v->workers);
    if (v->busy == 0 || v->busy < v->alive)
        return;
    if (v->workers >= v->workers_most)
        note_busy(v, n);
    else
        note_held(v, n);
}

static void look_at_queue(const struct view *v, struct notes *n)
{
    const struct backlog *q = &v->queue;
    uint64_t refused = v->recent.outcomes[OUTCOME_queue_timeout] +
                       v->recent.outcomes[OUTCOME_queue_limit];
    if (refused > 0)
        note(n, true, "workers",
             "%" PRIu64 " requests of the last minute were not served: more "
             "come than the workers get done. See queue_timeout, queue_limit.",
             refused);
    if (!v->queue_known)
        return;
    if (q->waiting > 0 && q->waiting * 4 >= q->limit * 3)
        note(n, true, "workers",
             "%u connections wait to be accepted and the kernel takes %u; "
             "then it refuses. Add workers, or a larger backlog for bursts.",
             q->waiting, q->limit);
    if (v->config != NULL && (int64_t)q->limit < v->config->pool.backlog)
        note(n, false, "backlog",
             "backlog is %" PRId64 ", but the kernel takes %u: raise "
             "net.core.somaxconn, or the backlog of whoever made the socket.",
             v->config->pool.backlog, q->limit);
}

static void look_at_failures(const struct view *v, struct notes *n)
{
    int worst = OUTCOME_internal;
    if (v->recent.ended < SHARE_OF || v->recent.failed * 20 < v->recent.ended)
        return;
    for (int o = 0; o < OUTCOME_COUNT; o++)
        if (view_is_failure((enum outcome)o) &&
            v->recent.outcomes[o] > v->recent.outcomes[worst])
            worst = o;
    note(n, true,
         worst == OUTCOME_downstream_timeout ? "timeout"
         : worst == OUTCOME_request_timeout  ? "request_timeout"
         : worst == OUTCOME_queue_timeout || worst == OUTCOME_queue_limit
             ? "workers"
             : "downstream",
         "%" PRIu64 " %% of the last minute's requests failed, most of them "
         "with %s. The log has the details.",
         v->recent.failed * 100 / v->recent.ended,
         outcome_name((enum outcome)worst));
}

static void look_at_breakers(const struct view *v, struct notes *n)
{
    struct view_breaker list[CONFIG_ENDPOINTS_MAX];
    const struct view_breaker *first = NULL;
    unsigned open = 0;
    for (size_t i = view_breakers(v, list); i-- > 0;)
        if (list[i].state != BREAKER_CLOSED) {
            first = &list[i];
            open++;
        }
    if (open == 0)
        return;
    char others[40] = "";
    if (open > 1)
        snprintf(others, sizeof others, ", and those of %u others", open - 1);
    note(n, true, "downstream",
         "The breaker of %s is %s%s: requests get 503 at once, but for one now "
         "and then that tries. The log has the last failure.",
         first->endpoint, breaker_state_name(first->state), others);
}

static void look_at_slow_ones(const struct view *v, struct notes *n)
{
    uint32_t slow = 0, first = 0;
    uint64_t longest = 0;
    for (uint32_t i = 0; i < v->slots; i++) {
        struct view_worker w;
        view_worker(v, i, &w);
        if (w.since < LONG_MS)
            continue;
        slow++;
        if (w.since > longest) {
            longest = w.since;
            first = w.number;
        }
    }
    if (slow > 0)
        note(n, false, "timeout",
             "%u workers have had their request for over a minute; worker %u "
             "for %" PRIu64 " s. See timeout and body_timeout.",
             slow, first, longest / 1000);
}

/* --- Since the start. --- */

static void look_at_limit(const struct view *v, struct notes *n)
{
    uint64_t times = scoreboard_load(&v->board->workers_short);
    if (times > 0)
        note(n, false, "workers",
             "%" PRIu64 " times all %u workers were busy, requests waited, and "
             "no worker could be added: limited by %s.",
             times, v->workers_most, scoreboard_bound_text(v->bound));
}

static void look_at_connections(const struct view *v, struct notes *n)
{
    uint64_t full = v->counters[COUNTER_full];
    uint64_t errors = v->counters[COUNTER_accept_errors];
    if (full > 0)
        note(n,
             v->config != NULL &&
                 v->connections * 10 >= (uint64_t)v->connections_most * 9,
             "max_connections",
             "%" PRIu64 " times no connection could be accepted: so many were "
             "open as max_connections, or the limit of open files, allows.",
             full);
    if (errors > 0)
        note(n, false, "",
             "accept(2) failed %" PRIu64 " times for want of descriptors or "
             "memory: raise the limit of open files (LimitNOFILE=).",
             errors);
}

/* A success that nobody downstream has seen: never to be forgotten. */
static void look_at_dry_runs(const struct view *v, struct notes *n)
{
    const char *name = NULL;
    unsigned count = 0;
    for (size_t i = 0; v->config != NULL && i < v->config->endpoint_count; i++)
        if (v->config->endpoints[i]->downstream_mode ==
            CONFIG_downstream_mode_dry_run) {
            name = v->config->endpoints[i]->name;
            count++;
        }
    if (count > 0)
        note(n, false, "downstream_mode",
             "%u endpoints (%s%s) answer as if they had posted, and post "
             "nothing.",
             count, name, count > 1 ? " and others" : "");
}

static enum parity_kind worst_kind(const struct view *v)
{
    enum parity_kind worst = PARITY_equal;
    for (int k = 0; k < PARITY_COUNT; k++)
        if (parity_kind_class((enum parity_kind)k) == PARITY_MISMATCH &&
            (worst == PARITY_equal ||
             v->shadow.kinds[k] > v->shadow.kinds[worst]))
            worst = (enum parity_kind)k;
    return worst;
}

static void look_at_shadow(const struct view *v, struct notes *n)
{
    struct comparison c;
    shadow_report_sum(v, &c);
    uint64_t mismatches = comparison_count(&c, PARITY_MISMATCH);
    uint64_t unjudged = comparison_count(&c, PARITY_UNJUDGED);
    uint64_t judged = comparison_judged(&c);
    uint64_t dropped = v->counters[COUNTER_shadow_dropped];
    if (v->counters[COUNTER_shadow_loops] > 0)
        note(n, true, "url",
             "[shadow] url leads back to this pool: %" PRIu64 " copies came "
             "back and were refused.",
             v->counters[COUNTER_shadow_loops]);
    if (mismatches > 0)
        note(n, true, "sample_file",
             "The old handler answers %" PRIu64 " of %" PRIu64 " sampled "
             "requests otherwise, most of them: %s.",
             mismatches, judged, parity_kind_text(worst_kind(v)));
    if (unjudged > judged)
        note(n, false, "url",
             "The old handler could not be compared with on %" PRIu64 " of "
             "%" PRIu64 " sampled requests.",
             unjudged, unjudged + judged);
    if (dropped > v->counters[COUNTER_shadow_sampled])
        note(n, false, "share",
             "%" PRIu64 " copies were dropped, more than were taken: the old "
             "handler is too slow for this share. Lower it, or raise "
             "processes.",
             dropped);
}

static void look_at_trust(const struct view *v, struct notes *n)
{
    uint64_t mismatches = v->counters[COUNTER_mismatches];
    uint64_t killed = scoreboard_load(&v->board->exits_signal);
    uint64_t stuck = scoreboard_load(&v->board->overdue_kills);
    uint64_t unborn = scoreboard_load(&v->board->start_kills);
    uint64_t idle = scoreboard_load(&v->board->idle_kills);
    uint64_t dropped = v->counters[COUNTER_log_dropped];
    if (v->unsound > 0)
        note(n, true, "",
             "The self-test of %u workers failed: they add up wrongly, and do "
             "not serve. The log has the result.",
             v->unsound);
    if (mismatches > 0)
        note(n, true, "decoder",
             "The two decoders differed on %" PRIu64 " bodies. Set decoder = "
             "json-c until the cause is known; the log has each.",
             mismatches);
    if (stuck > 0)
        note(n, true, "",
             "%" PRIu64 " workers were killed because they did not come back "
             "from a request. The log has it, and where in the code they were.",
             stuck);
    if (unborn > 0)
        note(n, v->alive < v->workers, "start_timeout",
             "%" PRIu64 " workers were killed because they did not get to "
             "serve within start_timeout. The log has what they were at: a "
             "long selftest_file may need more time.",
             unborn);
    if (idle > 0)
        note(n, true, "",
             "%" PRIu64 " workers were killed because they took nothing of "
             "what waited though they were idle. The log has where in the "
             "code they were.",
             idle);
    if (killed > stuck + unborn + idle)
        note(n, false, "",
             "%" PRIu64 " workers were ended by a signal, each with the "
             "request it had. The log says which signal.",
             killed - stuck - unborn - idle);
    if (dropped > 0)
        note(n, false, "log_file",
             "%" PRIu64 " log lines were dropped, and what they said is lost: "
             "what takes them (a pipe, a socket, a disk) is full or too slow.",
             dropped);
}

size_t advice_list(const struct view *v, struct advice list[ADVICE_MOST])
{
    struct notes n = {list, 0};
    look_at_workers(v, &n);
    look_at_queue(v, &n);
    look_at_breakers(v, &n);
    look_at_failures(v, &n);
    look_at_slow_ones(v, &n);
    look_at_limit(v, &n);
    look_at_connections(v, &n);
    look_at_dry_runs(v, &n);
    look_at_shadow(v, &n);
    look_at_trust(v, &n);
    for (size_t i = 1; i < n.count; i++)
        for (size_t j = i; j > 0 && list[j].urgent && !list[j - 1].urgent;
             j--) {
            struct advice swap = list[j];
            list[j] = list[j - 1];
            list[j - 1] = swap;
        }
    return n.count;
}
