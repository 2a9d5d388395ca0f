/* replay_child: the processes that a replay forks, and the messages they send.
 *
 * One process reads the recorded bodies: standard input may be a pipe that
 * brings nothing for hours, and the process that waits for it must not be the
 * one that waits for everything else. The others each call one handler, one
 * request at a time.
 *
 * Each has a socket to the replay (frame.h) and ends when the replay has closed
 * its end. */
#ifndef TALLYD_REPLAY_REPLAY_CHILD_H
#define TALLYD_REPLAY_REPLAY_CHILD_H

#include <stdint.h>

#include "compare/corpus.h"
#include "downstream/call.h"

/* The reader sends each struct corpus_item and then its body. */

/* To a caller, before the body. */
#define REPLAY_ID_MAX 64
struct replay_order {
    uint64_t body_len;
    char id[REPLAY_ID_MAX]; /* X-Request-ID */
};

/* From a caller, before the reply. */
struct replay_result {
    enum call_end end;
    int status;
    uint64_t reply_len;
    int64_t took; /* ns */
    char detail[200];
};

/* What the reader does: send each item of `corpus` but the first `skip`. A full
 * socket makes it wait. Gives the exit status. */
int replay_child_read(int fd, struct corpus *corpus, uint64_t skip);

/* What a caller does: take an order, post its body with `settings` and send the
 * result, again and again. Gives the exit status. */
int replay_child_call(int fd, const struct call_settings *settings);

#endif
