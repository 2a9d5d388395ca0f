/* downstream: one HTTP POST at a time, over a kept connection: by the direct
 * exchange over link.h, or by libcurl's whole transfer (transfer.h).
 *
 * Each process makes its own. libcurl itself is initialised with the first one;
 * a process that forks others may make one for that alone, and never use it.
 * At most one POST reaches the wire per downstream_post() unless the target
 * says resend: there is one place that sends in each, and nothing repeats it
 * but where not a byte of it was sent.
 */
#ifndef TALLYD_DOWNSTREAM_DOWNSTREAM_H
#define TALLYD_DOWNSTREAM_DOWNSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/outcome.h"
#include "base/trace.h"
#include "downstream/link.h"

/* Longest body and Idempotency-Key sent. */
#define DOWNSTREAM_BODY_MAX 32768
#define DOWNSTREAM_KEY_MAX 255

/* Where and how to post. */
struct downstream_settings {
    struct link_settings link;
    int64_t timeout;    /* ns */
    uint64_t max_reply; /* bytes */
    bool resend;
    bool whole_transfer; /* by transfer.h */
};

struct downstream;
struct downstream_target;

/* NULL: memory is short. */
struct downstream *downstream_new(void);
void downstream_free(struct downstream **d);

/* NULL: `why` says what is wrong with the URL or a file. The settings are
 * borrowed. May be called without a downstream, to check settings. */
struct downstream_target *
downstream_target_new(const struct downstream_settings *s, char *why,
                      size_t why_size);
void downstream_target_free(struct downstream_target **t);

struct downstream_post {
    const char *body; /* JSON, up to DOWNSTREAM_BODY_MAX bytes */
    size_t body_len;
    const struct trace *trace;
    const char *idempotency_key; /* NULL: none; already validated */
};

struct downstream_report {
    int status;     /* of the answer; 0: none */
    unsigned posts; /* on the wire, at most 2 */
    unsigned connects;
    unsigned resends;
    int64_t connect_us;    /* the last post: until connected; 0: it was kept */
    int64_t first_byte_us; /* and until the answer began; 0: it did not */
    int64_t given;         /* ns that there were for the post, at its start */
    char detail[200];      /* for people; empty on success */
};

/* Post and wait for the whole answer, at most `timeout` and not beyond `due`
 * (monotonic ns). OUTCOME_ok: it was 2xx and complete; OUTCOME_request_timeout:
 * it is due; otherwise one of the downstream outcomes. */
enum outcome downstream_post(struct downstream *d,
                             const struct downstream_target *t,
                             const struct downstream_post *post, int64_t due,
                             struct downstream_report *report);

#endif
