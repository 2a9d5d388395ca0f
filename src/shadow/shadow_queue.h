/* shadow_queue: sampled requests on their way from the workers to the
 * processes that ask the old handler.
 *
 * A fixed number of slots in memory that all processes of the pool share. A
 * worker reserves a slot, writes a request into it and submits it; a shadow
 * process claims it, asks, and releases it. No worker waits for a slot: where
 * there is none the request is not sampled. The owner of a slot is one atomic
 * word, and no step takes two processes: shadow_queue_recover() frees the slots
 * of a process that has died. */
#ifndef TALLYD_SHADOW_SHADOW_QUEUE_H
#define TALLYD_SHADOW_SHADOW_QUEUE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/outcome.h"
#include "base/trace.h"

/* The old handler is not asked about a request with more of any of these. */
#define SHADOW_PATH_MAX 512
#define SHADOW_QUERY_MAX 2048
#define SHADOW_LINES_MAX 2048
#define SHADOW_REPLY_MAX 32768
#define SHADOW_RESULT_MAX 32768

/* The owners of slots: a worker by its number on the scoreboard, a shadow
 * process by its own. */
#define SHADOW_WORKER(number) ((int)(number) + 1)
#define SHADOW_PROCESS(number) ((int)(number) + (1 << 20))

/* What a worker has made of one request; all texts are terminated. Only the
 * owner of the slot may look at it. */
struct shadow_case {
    char request_id[TRACE_ID_MAX + 1];
    char traceparent[TRACE_PARENT_LEN + 1];
    bool whole; /* else body and the next three are empty: it is not known what
                 * to ask the old handler */
    char path[SHADOW_PATH_MAX + 1];   /* without the query, decoded */
    char query[SHADOW_QUERY_MAX + 1]; /* as it came */
    char lines[SHADOW_LINES_MAX + 1]; /* of the header, each with its CR LF */
    char endpoint[40];                /* its name */
    int32_t outcome;                  /* enum outcome */
    int32_t status;                   /* of the reply */
    uint32_t reply_len, result_len;
    char reply[SHADOW_REPLY_MAX + 1];   /* its body */
    char result[SHADOW_RESULT_MAX + 1]; /* {"sum":42}; of a success only */
    uint64_t body_len;
    char body[]; /* of the request; there is room for another byte */
};

struct shadow_queue;

/* Room for `count` requests with bodies of up to `max_body` bytes; memory is
 * used once a slot is. NULL: errno. Before the first fork. */
struct shadow_queue *shadow_queue_new(uint32_t count, uint64_t max_body);
void shadow_queue_free(struct shadow_queue **q);

/* 16 hex digits that no other pool has: copies carry them, so that a pool knows
 * its own when they come back to it. */
const char *shadow_queue_name(const struct shadow_queue *q);

uint64_t shadow_queue_max_body(const struct shadow_queue *q);
struct shadow_case *shadow_queue_case(const struct shadow_queue *q, int slot);

/* For workers: own a free slot, -1 when there is none; then submit or release
 * it. */
int shadow_queue_reserve(struct shadow_queue *q, int owner);
void shadow_queue_submit(struct shadow_queue *q, int slot);
void shadow_queue_release(struct shadow_queue *q, int slot);

/* For shadow processes. Once, after the fork; false: errno. Then own a
 * submitted slot; -1: none. */
bool shadow_queue_join(struct shadow_queue *q);
int shadow_queue_claim(struct shadow_queue *q, int owner);

/* Wait, with the signal mask `open`, until something may be there to claim, a
 * signal came, or `most` ms are over (-1: as long as it takes). */
void shadow_queue_wait(struct shadow_queue *q, const sigset_t *open, int most);

/* The owner is dead: free what it had, and have others look at what it has
 * submitted, or heard of. Gives the number of slots. */
uint32_t shadow_queue_recover(struct shadow_queue *q, int owner);

#endif
