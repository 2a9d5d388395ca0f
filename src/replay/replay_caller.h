/* replay_caller: a process that calls one handler, one request at a time.
 *
 * Each is forked by the replay and speaks with it over a socket pair: an order
 * and its body come in, a result and the reply go out. It ends when the other
 * end does. */
#ifndef TALLYD_REPLAY_REPLAY_CALLER_H
#define TALLYD_REPLAY_REPLAY_CALLER_H

#include <stdint.h>

#include "downstream/call.h"

#define REPLAY_ID_MAX 64

struct replay_order {
    uint64_t body_len;
    char id[REPLAY_ID_MAX]; /* X-Request-ID */
};

struct replay_result {
    enum call_end end;
    int status;
    uint64_t reply_len;
    int64_t took; /* ns */
    char detail[200];
};

/* Give the exit status. */
int replay_caller_run(int fd, const struct call_settings *settings);

#endif
