/* shadow_sampler: a worker's end of the shadow: takes copies of sampled
 * requests.
 *
 * The copy of a body is written into shared memory as its bytes come, and
 * handed over once the reply has left. Nothing here waits, allocates or fails:
 * a request that cannot be sampled is counted and served like any other. */
#ifndef TALLYD_SHADOW_SHADOW_SAMPLER_H
#define TALLYD_SHADOW_SHADOW_SAMPLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/entropy.h"
#include "config/config.h"
#include "scoreboard/scoreboard.h"
#include "shadow/shadow_queue.h"

/* The header that copies carry, as a CGI variable and on the wire. */
#define SHADOW_LOOP_PARAM "HTTP_TALLYD_SHADOW"
#define SHADOW_LOOP_HEADER "Tallyd-Shadow"

struct shadow_sampler {
    const struct config_shadow *config;
    struct shadow_queue *queue;
    struct scoreboard_slot *slot;
    struct entropy entropy;
    int owner;      /* of slots of the queue */
    int queue_slot; /* -1: the request in hand is not sampled */
};

/* What a request says before its body. */
struct shadow_sampler_request {
    const char *path; /* without the query, decoded; need not be terminated */
    size_t path_len;
    bool wants_body; /* else it is refused already */
    /* A CGI variable (RFC 3875), or NULL. */
    const char *(*param)(const void *context, const char *name);
    const void *context;
};

/* All is borrowed. `number`: of the worker. */
void shadow_sampler_open(struct shadow_sampler *t,
                         const struct config_shadow *config,
                         struct shadow_queue *queue,
                         struct scoreboard_slot *slot, uint32_t number);

/* Is the request one of this pool's own copies, that has come back? `mark` is
 * the value of the header, or NULL. */
bool shadow_sampler_is_loop(struct shadow_sampler *t, const char *mark);

/* A request begins. Is it sampled? One that the old handler could not be asked
 * about is so for its result alone, if there is a file of results. */
void shadow_sampler_begin(struct shadow_sampler *t,
                          const struct shadow_sampler_request *r);
void shadow_sampler_chunk(struct shadow_sampler *t, const uint8_t *bytes,
                          size_t n);

/* What became of a request. */
struct shadow_sampler_reply {
    const char
        *endpoint; /* its name; NULL: none was found, which is not sampled */
    enum outcome outcome;
    const char *result; /* what was or would be posted; of OUTCOME_ok */
    size_t result_len;
    const char *response; /* as reply_print() has made it */
};

/* It is answered: hand the copy over, if its outcome is one that follows from
 * the request alone. */
void shadow_sampler_end(struct shadow_sampler *t,
                        const struct shadow_sampler_reply *r,
                        const struct trace *trace);

#endif
