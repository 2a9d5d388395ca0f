/* saturation: see saturation.h. */
#include "supervisor/saturation.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "scoreboard/view.h"

static void put_u64(scoreboard_u64 *to, uint64_t n)
{
    atomic_store_explicit(to, n, memory_order_relaxed);
}

static void put_time(scoreboard_i64 *to, int64_t ns)
{
    atomic_store_explicit(to, ns, memory_order_relaxed);
}

static int64_t time_of(const scoreboard_i64 *from)
{
    return atomic_load_explicit(from, memory_order_relaxed);
}

void saturation_open(struct saturation *s, struct scoreboard *board)
{
    *s = (struct saturation){.board = board};
    saturation_end(s);
}

void saturation_end(struct saturation *s)
{
    s->full = false;
    s->count = 0;
    put_u64(&s->board->waiting, 0);
    put_u64(&s->board->waiting_kept, 0);
    put_time(&s->board->waiting_since, 0);
    put_time(&s->board->saturated, 0);
}

/* --- The kernel's queue. --- */

static void drop(struct saturation *s, uint32_t from, uint32_t n)
{
    s->count -= n;
    for (uint32_t i = from; i < s->count; i++)
        s->marks[i] = s->marks[i + n];
}

/* Marks of connections that are accepted say nothing any more. */
static void drop_accepted(struct saturation *s, uint64_t accepted)
{
    uint32_t gone = 0;
    while (gone < s->count && s->marks[gone].last <= accepted)
        gone++;
    drop(s, 0, gone);
}

/* Others than the pool may have taken some, or peers have left: those that wait
 * now have the numbers up to `last`. Gives by when that one had come. */
static int64_t drop_beyond(struct saturation *s, uint64_t last, int64_t now)
{
    int64_t at = now;
    while (s->count > 0 && s->marks[s->count - 1].last > last)
        at = s->marks[--s->count].at;
    return at;
}

/* Forget the look that is missed least: what came between the one before it and
 * itself is from then on said to have come by the next, and the older that is
 * the less does it matter. */
static void thin_out(struct saturation *s, int64_t now)
{
    const struct saturation_mark *m = s->marks;
    uint32_t best = 1;
    double least = 2;
    for (uint32_t i = 1; i + 1 < s->count; i++) {
        double age = (double)(now - m[i - 1].at);
        double loss = (double)(m[i + 1].at - m[i - 1].at) / (age + 1);
        if (loss < least) {
            least = loss;
            best = i;
        }
    }
    drop(s, best, 1);
}

/* Since when the one waits that waits longest; 0: none does. */
static int64_t mark(struct saturation *s, const struct saturation_sight *v)
{
    uint64_t last = v->accepted + v->queued;
    drop_accepted(s, v->accepted);
    int64_t at = drop_beyond(s, last, v->now);
    if (s->count == SATURATION_MARKS)
        thin_out(s, v->now);
    if (v->queued > 0 && (s->count == 0 || s->marks[s->count - 1].last < last))
        s->marks[s->count++] = (struct saturation_mark){last, at};
    return s->count == 0 ? 0 : s->marks[0].at;
}

/* --- What is told. --- */

static void note_most(struct scoreboard *b, uint64_t waiting)
{
    if (waiting <= atomic_load_explicit(&b->waiting_most, memory_order_relaxed))
        return;
    put_time(&b->waiting_most_at, clock_wall());
    put_u64(&b->waiting_most, waiting);
}

static bool is_long(const struct scoreboard *b, int64_t now)
{
    int64_t saturated = time_of(&b->saturated);
    int64_t since = time_of(&b->waiting_since);
    return saturated != 0 && now - saturated >= VIEW_SATURATED_LONG &&
           since != 0 && now - since >= VIEW_WAIT_LONG;
}

static void warn(struct saturation *s, const struct saturation_sight *v)
{
    const struct scoreboard *b = s->board;
    int64_t lasted = v->now - time_of(&b->saturated);
    int64_t longest = v->now - time_of(&b->waiting_since);
    enum workers_bound bound = (enum workers_bound)b->workers_bound;
    const char *why = "there can be no more, by ", *by = "";
    char since[24];
    if (!is_long(b, v->now) || !log_paced(&s->told))
        return;
    if (!v->limited)
        why = "no more are added, the CPUs are full";
    else if (bound == WORKERS_BOUND_SETTING)
        why = "raise [pool] workers";
    else
        by = scoreboard_bound_text(bound);
    log_warn("saturated since %s: all %u workers are busy and %" PRIu64
             " requests wait, the longest for %.1f s: %s%s",
             view_time(clock_wall() - lasted, since),
             v->limited ? b->workers_most : b->workers, b->waiting,
             (double)longest / (double)CLOCK_SECOND, why, by);
}

/* A pool that may have more workers gets them within milliseconds. */
static bool grows_no_more(const struct saturation *s,
                          const struct saturation_sight *v, int64_t since)
{
    bool more = v->starting || s->board->workers > s->workers;
    return v->limited ||
           (!more && since != 0 && v->now - since >= VIEW_WAIT_LONG);
}

void saturation_look(struct saturation *s, const struct saturation_sight *v)
{
    struct scoreboard *b = s->board;
    uint64_t waiting = (uint64_t)v->queued + v->kept;
    int64_t since = mark(s, v);
    if (v->kept_since != 0 && (since == 0 || v->kept_since < since))
        since = v->kept_since;
    put_u64(&b->waiting, waiting);
    put_u64(&b->waiting_kept, v->kept);
    put_time(&b->waiting_since, since);
    note_most(b, waiting);
    if (v->limited && !s->full)
        scoreboard_count(&b->all_busy);
    s->full = v->limited;
    if (waiting == 0 || !grows_no_more(s, v, since))
        put_time(&b->saturated, 0);
    else if (time_of(&b->saturated) == 0)
        put_time(&b->saturated, v->now);
    s->workers = b->workers;
    warn(s, v);
}
