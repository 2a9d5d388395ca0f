/* site: what the status listener answers, path by path. */
#ifndef TALLYD_STATUS_SITE_H
#define TALLYD_STATUS_SITE_H

#include "config/config.h"
#include "scoreboard/scoreboard.h"
#include "status/history.h"
#include "status/http.h"

/* All of it is borrowed. */
struct site {
    const struct config *config;
    const struct scoreboard *board;
    struct history *history; /* NULL: there is none */
};

/* The `answer` of a struct http_config; the context is a struct site. */
void site_answer(void *context, const struct http_request *r,
                 struct http_reply *reply);

#endif
