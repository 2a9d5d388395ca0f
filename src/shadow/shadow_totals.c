/* shadow_totals: see shadow_totals.h. */
#include "shadow/shadow_totals.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "scoreboard/view.h"
#include "shadow/totals_file.h"

void shadow_totals_pool(struct totals_pool *p, const struct scoreboard *b,
                        const struct config *config)
{
    struct view v;
    view_glance(&v, b, config);
    *p = (struct totals_pool){
        .number = (uint64_t)atomic_load(&b->started_wall),
        .began = atomic_load(&b->started_wall) / CLOCK_SECOND,
        .pid = v.pid,
        .counted.counts = {
            [TOTALS_seconds] = v.uptime,
            [TOTALS_requests] = v.started,
            [TOTALS_sampled] = v.counters[COUNTER_shadow_sampled],
            [TOTALS_dropped] = v.counters[COUNTER_shadow_dropped],
            [TOTALS_skipped] = v.counters[COUNTER_shadow_skipped],
            [TOTALS_loops] = v.counters[COUNTER_shadow_loops],
            [TOTALS_lost] = v.shadow.lost,
        }};
    memcpy(p->counted.kinds, v.shadow.kinds, sizeof p->counted.kinds);
}

void shadow_totals_open(struct shadow_totals *s, const struct config *config,
                        const struct scoreboard *board,
                        struct scoreboard_shadow *counts)
{
    *s = (struct shadow_totals){
        .config = config, .board = board, .counts = counts};
}

struct change {
    struct totals_pool pool;
    int64_t now;   /* s since 1970 */
    int64_t fresh; /* s: a pool that saves does so more often */
};

/* Two pools that took turns would each count the other's again and again. One
 * that is gone has no process; and if its number is another's by now, what it
 * has saved is old soon. */
static bool is_anothers(const struct totals *t, const struct change *c)
{
    return t->pool != c->pool.number && t->pool != 0 && t->pid != c->pool.pid &&
           t->pid > 0 && t->pid <= INT32_MAX && c->now >= t->saved &&
           c->now - t->saved < c->fresh &&
           (kill((pid_t)t->pid, 0) == 0 || errno == EPERM);
}

static bool update(void *context, struct totals *t, bool there, char *why,
                   size_t why_size)
{
    const struct change *c = context;
    if (there && is_anothers(t, c)) {
        snprintf(why, why_size,
                 "another pool (pid %lld) keeps its totals there; give each a "
                 "file of its own",
                 (long long)t->pid);
        return false;
    }
    /* What this one has counted before there was a file counts as well. */
    if (!there)
        totals_begin(t, c->pool.began);
    totals_update(t, &c->pool, c->now);
    return true;
}

static void save(struct shadow_totals *s, const struct totals_pool *pool)
{
    char why[500];
    bool aside;
    const struct config_shadow *config = &s->config->shadow;
    struct change c = {.pool = *pool,
                       .now = clock_wall() / CLOCK_SECOND,
                       .fresh = 3 * config->totals_interval / CLOCK_SECOND + 1};
    bool ok = totals_file_update(config->totals_file, update, &c, &aside, why,
                                 sizeof why);
    s->failed = !ok;
    if (aside)
        log_warn("totals_file: %s; it is now %s.bad, and counting begins anew",
                 why, config->totals_file);
    if (ok) {
        s->saved = pool->counted;
        return;
    }
    scoreboard_count(&s->counts->counts[SHADOW_COUNT_totals_failed]);
    if (log_paced(&s->complained))
        log_warn("totals_file: %s", why);
}

static bool has_changed(const struct shadow_totals *s,
                        const struct totals_set *now)
{
    struct totals_set then = s->saved;
    then.counts[TOTALS_seconds] = now->counts[TOTALS_seconds];
    return memcmp(&then, now, sizeof then) != 0;
}

int64_t shadow_totals_turn(struct shadow_totals *s, int64_t now)
{
    struct totals_pool pool;
    if (s->config->shadow.totals_file[0] == '\0')
        return CLOCK_NEVER;
    if (now < s->due)
        return s->due;
    shadow_totals_pool(&pool, s->board, s->config);
    if (s->due == 0 || has_changed(s, &pool.counted))
        save(s, &pool);
    s->due = now + s->config->shadow.totals_interval;
    return s->due;
}

void shadow_totals_save(struct shadow_totals *s)
{
    struct totals_pool pool;
    if (s->config->shadow.totals_file[0] == '\0')
        return;
    shadow_totals_pool(&pool, s->board, s->config);
    save(s, &pool);
}
