/* monitor: see monitor.h. */
#include "processes/monitor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/signals.h"
#include "base/clock.h"
#include "base/log.h"
#include "processes/helper.h"

/* Scrapers, probes and a few people; each gets one page per connection. */
#define CONNECTIONS_MAX 64
#define CONNECTION_TIMEOUT (10 * CLOCK_SECOND)

static bool told_to_end(const struct monitor_plan *plan)
{
    signals_hear();
    if (signals_take(SIGUSR1))
        log_reopen();
    return helper_is_done(plan->site.board, plan->supervisor, plan->generation);
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
    while (!told_to_end(plan))
        http_turn(http, signals_waiting());
    http_free(&http);
    return EXIT_SUCCESS;
}
