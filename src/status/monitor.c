/* monitor: see monitor.h. */
#include "status/monitor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "os/signals.h"
#include "supervisor/helper.h"

/* Scrapers, probes and a few people; each gets one page per connection. */
#define CONNECTIONS_MAX 64
#define CONNECTION_TIMEOUT (10 * CLOCK_SECOND)

static bool is_over(const struct monitor_plan *plan)
{
    signals_hear();
    if (signals_take(SIGUSR1))
        log_reopen();
    return helper_is_over(plan->site.board, plan->supervisor);
}

/* The next one begins when this one has ended. What connects meanwhile is
 * answered, too, but cannot put that off for long. */
static void finish(const struct monitor_plan *plan, struct http *http)
{
    int64_t limit = clock_now() + CONNECTION_TIMEOUT;
    while (http_connections(http) > 0 && clock_now() < limit && !is_over(plan))
        http_turn(http, signals_waiting());
}

int monitor_run(const struct monitor_plan *plan)
{
    const struct http_config config = {.listener = plan->listener,
                                       .max_connections = CONNECTIONS_MAX,
                                       .timeout = CONNECTION_TIMEOUT,
                                       .context =
                                           (void *)(uintptr_t)&plan->site,
                                       .answer = site_answer};
    struct http *http = http_new(&config);
    if (http == NULL) {
        log_error("cannot start: %s", strerror(errno));
        return EXIT_FAILURE;
    }
    bool over;
    while (!(over = is_over(plan)) &&
           !helper_is_replaced(plan->site.board, plan->generation))
        http_turn(http, signals_waiting());
    if (!over)
        finish(plan, http);
    http_free(&http);
    return EXIT_SUCCESS;
}
