/* monitor: see monitor.h. */
#include "processes/monitor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adapters/signals.h"
#include "base/clock.h"
#include "base/log.h"

/* Scrapers, probes and a few people; each gets one page per connection. */
#define CONNECTIONS_MAX 64
#define CONNECTION_TIMEOUT (10 * CLOCK_SECOND)

static bool told_to_end(const struct monitor_plan *plan)
{
    signals_hear();
    if (signals_take(SIGUSR1))
        log_reopen();
    if (signals_take(SIGHUP) &&
        atomic_load_explicit(&plan->site.board->generation,
                             memory_order_relaxed) != plan->generation)
        return true; /* another one knows the settings that serve now */
    bool term = signals_take(SIGTERM), quit = signals_take(SIGQUIT);
    if (!signals_take(SIGINT) && !term && !quit)
        return false;
    uint32_t stage =
        atomic_load_explicit(&plan->site.board->stage, memory_order_relaxed);
    return stage == POOL_ENDED || getppid() != plan->supervisor;
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
