/* http_peers: the connections of http.h: how long each may last, and the
 * request that it is at. Knows nothing of the library that speaks HTTP. */
#ifndef TALLYD_STATUS_HTTP_PEERS_H
#define TALLYD_STATUS_HTTP_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A request from its first line to the end of its reply. */
struct http_inbound {
    char *target; /* as it was sent; NULL: there is none */
    bool begun;   /* its header is complete */
    char *bytes;  /* of its body, terminated */
    size_t n, room;
    int status; /* 0: all is well so far; else what it is refused with */
};

struct http_peer {
    int fd;
    int64_t opened;              /* monotonic ns */
    int64_t deadline;            /* the same; 0: this slot is free */
    struct http_inbound request; /* that it is at, if it has a target */
};

struct http_peers {
    int64_t timeout; /* ns, from the last call of open or renew */
    int64_t silence; /* ns, from open to the first line; 0: no limit */
    unsigned count;
    struct http_peer slots[];
};

/* NULL: no memory. */
struct http_peers *http_peers_new(unsigned count, int64_t timeout,
                                  int64_t silence);
void http_peers_free(struct http_peers **p);

/* A slot for the connection `fd`, which stays the caller's. NULL: there is
 * none, and it has no deadline. */
struct http_peer *http_peers_open(struct http_peers *p, int fd);
void http_peers_close(struct http_peer *peer);

/* The first line has come: the silence is over. */
void http_peers_hear(const struct http_peers *p, struct http_peer *peer);

/* Are there more than `most` with the one that came last, which may be NULL?
 * Shut down the oldest of those that have not sent their whole header; of all,
 * if there is none. Never the last one: all others have had more time. */
void http_peers_make_room(struct http_peers *p, unsigned most,
                          const struct http_peer *last);

/* The deadline starts anew, unless it is over. */
void http_peers_renew(const struct http_peers *p, struct http_peer *peer);

/* Shut down the connections that are overdue: reads meet their end then. Gives
 * the next deadline, CLOCK_NEVER if there is none. */
int64_t http_peers_cut(struct http_peers *p, int64_t now);

unsigned http_peers_open_count(const struct http_peers *p);

/* Is none at a request? */
bool http_peers_are_idle(const struct http_peers *p);

/* More of a body, of at most `most` bytes; 413 or 500 in r->status if not. */
void http_peers_add(struct http_inbound *r, const char *bytes, size_t n,
                    size_t most);
void http_peers_drop(struct http_inbound *r);

#endif
