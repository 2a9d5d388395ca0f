/* transfer: one HTTP POST at a time by libcurl alone (curl_easy_perform(3)),
 * with one easy handle per target, reused for ever: HTTP/2, proxies, and
 * whatever else libcurl speaks. link.h, with the parser of http_response.h, is
 * the lean way for HTTP/1.1; both obey the same limits.
 *
 * At most one POST reaches the wire per call. libcurl sends a request again by
 * itself when a kept connection ends before the answer begins
 * (Curl_retry_request of its sources, whatever the method); to do so it
 * has to rewind the body, and the body is given to it once:
 * CURLOPT_SEEKFUNCTION fails. */
#ifndef TALLYD_DOWNSTREAM_TRANSFER_H
#define TALLYD_DOWNSTREAM_TRANSFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/outcome.h"
#include "downstream/link_target.h"

struct transfer_set; /* all of a process */
struct transfer;     /* the one to a target */

/* NULL: memory is short. */
struct transfer_set *transfer_set_new(void);
void transfer_set_free(struct transfer_set **all);

/* NULL: memory is short. `t` has to outlive `all`. */
struct transfer *transfer_to(struct transfer_set *all,
                             const struct link_target *t);

#define TRANSFER_LINES_MAX 8

struct transfer_request {
    const char *lines[TRANSFER_LINES_MAX]; /* of the header, "Name: value" */
    size_t line_count;
    const char *body;
    size_t body_len;
};

struct transfer_end {
    enum outcome outcome; /* ok: an answer has come, whatever its status */
    int status;           /* of the answer; 0: none */
    unsigned posts;       /* on the wire: 0 or 1 */
    unsigned connects;
    bool broke;            /* the connection ended before the answer did */
    int64_t connect_us;    /* until connected; 0: it was kept */
    int64_t first_byte_us; /* until the answer began; 0: it did not */
    const char *why; /* what went wrong; of the transfer, until its next */
};

/* Post and take the whole answer, whose body is at most `max_reply` bytes, at
 * the latest at `deadline` (monotonic ns, later than `now`). */
void transfer_post(struct transfer *t, const struct transfer_request *r,
                   uint64_t max_reply, int64_t now, int64_t deadline,
                   struct transfer_end *end);

#endif
