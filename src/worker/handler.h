/* handler: one request from its head to its outcome. Knows no FastCGI.
 *
 *   handler_begin()   what the head decides: path, method, encoding, length
 *   handler_chunk()   the body as it comes, decoded on the way
 *   handler_finish()  the result posted downstream and put into words
 *
 * The first thing wrong decides the outcome; the rest of the body is still
 * taken, and ignored. The post itself and the question whether the client is
 * still there come from outside, so that tests need no network. */
#ifndef TALLYD_WORKER_HANDLER_H
#define TALLYD_WORKER_HANDLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "decode/fault.h"
#include "worker/decoder.h"
#include "worker/endpoint.h"
#include "worker/queue_policy.h"

/* What the handler asks of its owner, each with `context`. */
struct handler_peers {
    void *context;
    /* Post to the downstream of `e`, as downstream_post(). The breaker of `e`
     * has been asked before. */
    enum outcome (*post)(void *context, const struct endpoint *e,
                         const struct downstream_post *post,
                         struct downstream_report *report);
    /* Has the client gone away? Asked before each post, with the body decoded.
     */
    bool (*abandoned)(void *context);
};

/* What the head of a request says; NULL where it says nothing. */
struct handler_request {
    const char *path; /* without the query; not NULL */
    size_t path_len;
    const char *method;
    const char *content_length;
    const char *content_encoding;
    const char *idempotency_key;
    const char *too_large; /* why not all of its head is known; static text */
    bool several_keys;     /* and another one, which differs */
    const struct trace *trace;
    bool loop; /* it is a copy that this pool has made itself */
    /* Unless the head is wrong, a request that has waited for too long is not
     * decoded. */
    const struct queue_policy_verdict *wait; /* NULL: it is to be served */
};

/* How the body ended. */
enum handler_end {
    HANDLER_COMPLETE,
    HANDLER_LATE, /* complete, but request_timeout is over: not to be posted */
    HANDLER_CLIENT_GONE,
    HANDLER_TIMEOUT,
    HANDLER_OVERDUE, /* request_timeout is over */
    HANDLER_STOPPED, /* drain_timeout is over */
    HANDLER_BROKEN,  /* wrong FastCGI records */
};

struct handler_result {
    enum outcome outcome;
    const struct endpoint *endpoint; /* NULL: not_found */
    const char *body;                /* of a success; not terminated */
    size_t body_len;
    const char *result; /* of a success: {"sum":42}; not terminated */
    size_t result_len;
    int64_t retry_after; /* of a 503: in how many s the client may ask again */
    bool dry_run; /* nothing but downstream_mode has kept it from a post */
    enum decoder_check check; /* what `verify` found */
    /* Texts, of which only the first byte is set before there is one. */
    struct downstream_report downstream; /* else zeroed: nothing was posted */
    struct fault fault;                  /* for malformed_json and 422 */
    char detail[256];                    /* for the log; empty on success */
    char difference[160];                /* DECODER_DIFFERENT */
};

struct handler;

/* NULL: memory is short. `endpoints` and `slot`, whose breaker counters are
 * counted, are borrowed. One that only tries samples has neither slot nor
 * peers. */
struct handler *handler_new(const struct endpoint_table *endpoints,
                            struct scoreboard_slot *slot,
                            const struct handler_peers *peers);
void handler_free(struct handler **h);

/* A request begins: what its head decides. `request` itself is read at once;
 * the trace and the idempotency key that it points to stay borrowed until
 * handler_finish(). */
void handler_begin(struct handler *h, const struct handler_request *request);

/* Is the body compressed? Its bytes are not those that are decoded. */
bool handler_is_encoded(const struct handler *h);

/* After handler_begin(): does the outcome depend on the body? */
bool handler_wants_body(const struct handler *h);

/* The next `n` bytes of the body, as they came; borrowed for this call alone.
 * Takes any number of them, also where the outcome is decided. */
void handler_chunk(struct handler *h, const uint8_t *bytes, size_t n);

/* The body has ended: decide the outcome, and post the result. What this gives
 * is valid until the next handler_begin(). */
const struct handler_result *handler_finish(struct handler *h,
                                            enum handler_end end);

/* Decode the known body of every endpoint (selftest.h), and its selftest_file,
 * as a request's would be, and post nothing. False: a result is wrong; `why`
 * says which. Not between handler_begin() and handler_finish(). */
bool handler_selftest(struct handler *h, struct buf *why);

/* The same with the files alone. */
bool handler_try_samples(struct handler *h, struct buf *why);

#endif
