/* trace: the names a request is known by: X-Request-ID and W3C Trace Context.
 *
 * What a client sends is used only when it is well formed; anything else is
 * replaced, never repaired, so that no byte of a header value can end up in
 * another header, in a log line or downstream. */
#ifndef TALLYD_BASE_TRACE_H
#define TALLYD_BASE_TRACE_H

#include <stdint.h>

#define TRACE_ID_MAX 128    /* longest request id taken over */
#define TRACE_PARENT_LEN 55 /* Trace Context level 1, 3.2: version 00 */
#define TRACE_STATE_MAX 512 /* Trace Context, 3.3.1.5 */

struct trace {
    char request_id[TRACE_ID_MAX + 1];
    char parent[TRACE_PARENT_LEN + 1]; /* ours to answer with */
    char child[TRACE_PARENT_LEN + 1];  /* for downstream: same trace, our id */
    char state[TRACE_STATE_MAX + 1];   /* tracestate, or empty */
};

/* Bytes of randomness one trace_make() may use. */
#define TRACE_RANDOM_BYTES 40

/* Take over or make the names. The header values may be NULL (absent).
 * `random`: TRACE_RANDOM_BYTES unpredictable bytes. */
void trace_make(struct trace *t, const char *request_id,
                const char *traceparent, const char *tracestate,
                const uint8_t *random);

#endif
