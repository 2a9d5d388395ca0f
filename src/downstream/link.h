/* link: a kept connection to a downstream. The only user of libcurl.
 *
 * libcurl finds the address, connects and speaks TLS (CURLOPT_CONNECT_ONLY),
 * with one easy handle per target, reused for ever; then bytes go through it,
 * without TLS through its socket, as they are. What they say is the business of
 * downstream.h, so nothing here can send a request a second time.
 *
 * libcurl is initialised with the first `struct link_set` of a process. */
#ifndef TALLYD_DOWNSTREAM_LINK_H
#define TALLYD_DOWNSTREAM_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/outcome.h"
#include "downstream/link_target.h"

struct link_set; /* all of a process */
struct link;     /* the one to a target, connected or not */

/* NULL: memory is short. */
struct link_set *link_set_new(void);
void link_set_free(struct link_set **all);

/* NULL: memory is short. `t` has to outlive `all`. */
struct link *link_to(struct link_set *all, const struct link_target *t);

/* Be connected, at the latest at `deadline` (monotonic ns, as `now`). A kept
 * connection is used again when it is neither too old nor spoilt: nothing may
 * have come on it, neither its end nor an answer that no request waits for.
 * Else *fresh is set, and a new one is made: to the address that the name had
 * less than `lifetime` ago, and if nobody is there to the one that it has now.
 * No outage of names takes longer than `connect_timeout`. Anything but
 * OUTCOME_ok: `why`, valid until the next call. */
enum outcome link_open(struct link *l, int64_t now, int64_t deadline,
                       bool *fresh, const char **why);
void link_close(struct link *l);

enum link_state {
    LINK_MOVED, /* *n bytes; 0 read: the peer ended the connection */
    LINK_AGAIN, /* not now: link_wait() */
    LINK_BROKEN,
};

enum link_state link_send(struct link *l, const void *bytes, size_t most,
                          size_t *n);
enum link_state link_read(struct link *l, void *bytes, size_t most, size_t *n);

/* Wait for bytes, or the end, and read them. LINK_AGAIN: the deadline
 * (monotonic ns) is over. Without TLS it is one recv(2), which blocks
 * (SO_RCVTIMEO of socket(7)), as long as half of the time that there was for
 * the first answer on the connection, and poll(2) for the rest of the time. */
enum link_state link_receive(struct link *l, void *bytes, size_t most,
                             int64_t deadline, size_t *n);

/* Why the last call said LINK_BROKEN, as far as libcurl has words for it; "" if
 * it has none. Valid until the next call of any function here. */
const char *link_reason(const struct link *l);

/* When bytes were last read from it, or it was made; monotonic ns. */
int64_t link_used(const struct link *l);

/* Wait for POLLIN or POLLOUT. False: the deadline (monotonic ns) is over. */
bool link_wait(const struct link *l, short events, int64_t deadline);

#endif
