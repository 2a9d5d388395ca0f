/* health: a pool judged against limits, in one line as monitoring plugins
 * print it (Monitoring Plugins Development Guidelines). */
#ifndef TALLYD_STATUS_HEALTH_H
#define TALLYD_STATUS_HEALTH_H

#include <stdbool.h>

#include "base/buf.h"
#include "scoreboard/view.h"

/* The exit statuses of a plugin. */
enum health { HEALTH_OK, HEALTH_WARNING, HEALTH_CRITICAL, HEALTH_UNKNOWN };

/* Percent from which on it is a warning, or critical. */
struct health_limit {
    unsigned warning, critical;
};

struct health_limits {
    struct health_limit busy;     /* of the workers, with a request */
    struct health_limit queue;    /* of the kernel's listen queue */
    struct health_limit failures; /* of the last minute's requests */
};

/* "WARN,CRIT", two whole numbers up to 1000. */
bool health_parse(const char *text, struct health_limit *l);

/* Append the line, with its newline. A pool that is not ready, or whose results
 * cannot be trusted, is critical whatever the limits. */
enum health health_print(const struct view *v, const struct health_limits *l,
                         struct buf *out);

#endif
