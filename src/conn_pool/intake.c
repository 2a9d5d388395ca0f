/* intake: see intake.h. */
#include "conn_pool/intake.h"

#include <poll.h>

#include "base/clock.h"

#define QUIET (100 * CLOCK_MS)

void intake_stop(struct intake *in)
{
    in->bar = listener_retire(in->listener);
    conn_pool_close(in->conn_pool, in->bar == LISTENER_SHUT);
    in->quiet_since = clock_now();
}

/* A unix listener that is shut is readable for ever, and never quiet here. */
static bool is_quiet(struct intake *in, bool hurry)
{
    struct pollfd p = {.fd = in->listener->fd, .events = POLLIN};
    if (hurry && in->listener->adopted)
        return true;
    int64_t now = clock_now();
    int64_t last = conn_pool_last_opened(in->conn_pool);
    if (poll(&p, 1, 0) != 0)
        in->quiet_since = now;
    else if (in->quiet_since < last)
        in->quiet_since = last;
    return p.revents == 0 &&
           (in->bar != LISTENER_FILTERED || now - in->quiet_since >= QUIET);
}

bool intake_look(struct intake *in, bool hurry)
{
    if (conn_pool_accepts(in->conn_pool) && is_quiet(in, hurry)) {
        conn_pool_deafen(in->conn_pool);
        listener_shut(in->listener);
    }
    return conn_pool_is_done(in->conn_pool);
}
