/* monitor: see monitor.h. */
#include "status/monitor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "os/signals.h"
#include "supervisor/aux_process.h"

/* Scrapers, probes and a few people; each gets one page per connection. */
#define CONNECTIONS_MAX 64
#define CONNECTION_TIMEOUT (10 * CLOCK_SECOND)
#define CONNECTION_SILENCE (2 * CLOCK_SECOND)

static enum aux_process_order next_order(const struct monitor_plan *plan)
{
    signals_hear();
    if (signals_take(SIGUSR1))
        log_reopen();
    return aux_process_order(plan->site.board, plan->supervisor,
                             plan->generation);
}

static void sample(const struct site *site)
{
    struct view v;
    if (clock_now() < history_due(site->history))
        return;
    view_glance(&v, site->board, site->config);
    view_queue(&v);
    history_take(site->history, &v);
}

static void turn(const struct site *site, struct http *http)
{
    if (site->history == NULL) {
        http_turn(http, CLOCK_NEVER);
        return;
    }
    http_turn(http, history_due(site->history));
    sample(site);
}

/* The next one begins when this one has ended. What connects meanwhile is
 * answered, too, but cannot put that off for long. */
static void finish(const struct monitor_plan *plan, struct http *http)
{
    int64_t limit = clock_now() + CONNECTION_TIMEOUT;
    while (http_connections(http) > 0 && clock_now() < limit &&
           next_order(plan) != AUX_PROCESS_QUIT)
        http_turn(http, CLOCK_NEVER);
}

int monitor_run(const struct monitor_plan *plan)
{
    const struct http_config config = {.listener = plan->listener,
                                       .max_connections = CONNECTIONS_MAX,
                                       .timeout = CONNECTION_TIMEOUT,
                                       .silence = CONNECTION_SILENCE,
                                       .context =
                                           (void *)(uintptr_t)&plan->site,
                                       .answer = site_answer};
    struct http *http = http_new(&config);
    if (http == NULL) {
        log_error("cannot start: %s", strerror(errno));
        return EXIT_FAILURE;
    }
    if (!confinement_enter(plan->confinement)) {
        http_free(&http);
        return EXIT_FAILURE;
    }
    enum aux_process_order order;
    while ((order = next_order(plan)) == AUX_PROCESS_STAY)
        turn(&plan->site, http);
    if (order == AUX_PROCESS_MAKE_ROOM)
        finish(plan, http);
    http_free(&http);
    return EXIT_SUCCESS;
}
