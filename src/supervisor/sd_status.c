/* sd_status: see sd_status.h. */
#include "supervisor/sd_status.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "os/notify.h"

/* How often to look whether the first workers serve: they send no signal. */
#define START_LOOK (20 * CLOCK_MS)

#define US 1000 /* ns */

/* What a stop takes besides draining. */
#define STOP_MARGIN (5 * CLOCK_SECOND)

void sd_status_open(struct sd_status *h)
{
    /* A sign of life may be late by half of the time it has. */
    *h = (struct sd_status){.wanted = notify_is_wanted(),
                            .interval = notify_watchdog() / 2,
                            .next = clock_now()};
}

static void say_serving(uint32_t generation)
{
    notify_send("READY=1\nSTATUS=serving, generation %u", generation);
}

static void look(struct sd_status *h, const struct scoreboard *board,
                 const struct config *config)
{
    struct view v;
    view_glance(&v, board, config);
    view_queue(&v);
    const char *fault = sd_watchdog_look(&h->watchdog, &v);
    if (fault == NULL)
        notify_send("WATCHDOG=1");
    else if (log_paced(&h->complained))
        log_error("no sign of life for the service manager: %s", fault);
}

int64_t sd_status_turn(struct sd_status *h, const struct scoreboard *board,
                       const struct config *config, bool serves)
{
    int64_t now = clock_now();
    if (!h->wanted)
        return CLOCK_NEVER;
    if (!h->ready && serves) {
        h->ready = true;
        say_serving(1);
    }
    if (h->interval > 0 && now >= h->next) {
        look(h, board, config);
        h->next = now + h->interval;
    }
    if (!h->ready)
        return now + START_LOOK;
    return h->interval > 0 ? h->next : CLOCK_NEVER;
}

void sd_status_reloading(const struct sd_status *h)
{
    if (h->wanted)
        notify_send("RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\n"
                    "STATUS=reloading",
                    clock_now() / US);
}

void sd_status_reloaded(const struct sd_status *h, uint32_t generation)
{
    if (h->wanted && h->ready)
        say_serving(generation);
}

void sd_status_stopping(const struct sd_status *h, int64_t limit)
{
    if (h->wanted)
        notify_send("STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC=%" PRId64,
                    (limit + STOP_MARGIN) / US);
}
