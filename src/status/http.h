/* http: a small HTTP/1.1 server, for pages about the pool and for posts that
 * are captured. The only user of libmicrohttpd.
 *
 * One process, no threads, never waits for a peer. Every connection has a
 * deadline, from its accept to the last byte of its reply; a peer that stops
 * costs its connection until then, and nothing else: with `silence` not even
 * that, for when `max_connections` are there the oldest without a whole header
 * is closed for the next, else the oldest. A connection carries one request,
 * unless `keep` is set: then its deadline starts anew with each.
 * Request line and header of a request have to fit 16 KiB. */
#ifndef TALLYD_STATUS_HTTP_H
#define TALLYD_STATUS_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http;

/* A GET or HEAD, or with `max_body` a POST; all others are refused before
 * anybody sees them. */
struct http_request {
    const char *path;   /* without the query, %XX decoded */
    const char *target; /* as it was sent */
    const char *accept; /* the header, "" when there is none */
    const char *body;   /* of a POST, terminated, valid during the call; NULL:
                           it is none */
    size_t body_len;
    void *peer; /* for http_query(), http_header() */
};

/* The value of `name` in the query: "" when it stands alone (?json), NULL when
 * it is not there. */
const char *http_query(const struct http_request *r, const char *name);

/* NULL: it is not there. */
const char *http_header(const struct http_request *r, const char *name);

void http_each_header(const struct http_request *r,
                      void (*each)(void *context, const char *name,
                                   const char *value),
                      void *context);

struct http_reply {
    int status;
    const char *type;   /* Content-Type; static text */
    const char *policy; /* Content-Security-Policy, or NULL; static text */
    char *fields;       /* lines "Name: value" that stand for those a page has;
                           borrowed, and changed. NULL: those of a page */
    char *body;         /* from malloc(3), and taken over; NULL: no memory */
    size_t len;
};

struct http_config {
    int listener; /* non-blocking; taken over. -1: http_adopt() is used */
    unsigned max_connections;
    int64_t timeout; /* ns, of a whole connection, or of one request of it */
    int64_t silence; /* ns, from the accept to the end of the first line; 0: as
                        `timeout` says, and the next one waits for room */
    bool keep;       /* connections carry more than one request */
    size_t max_body; /* of a POST; 0: GET and HEAD are served, and no POST */
    void *context;
    void (*answer)(void *context, const struct http_request *r,
                   struct http_reply *reply);
};

/* NULL: memory or descriptors are short. SIGPIPE must be ignored. */
struct http *http_new(const struct http_config *c);
void http_free(struct http **h);

/* Serve a connection that the caller has accepted; it is taken over. False:
 * there is no room, and it is closed. */
bool http_adopt(struct http *h, int fd);

/* Is there no request between its first line and the end of its reply? */
bool http_is_idle(const struct http *h);

/* How many connections there are. */
unsigned http_connections(const struct http *h);

/* Wait until there is something to do, one of the signals of os/signals.h has
 * come, or it is `due` (monotonic ns; CLOCK_NEVER), and do it. */
void http_turn(struct http *h, int64_t due);

/* The same for a caller that waits for other things as well: http_fd() becomes
 * readable when there is something to do, and http_due() says when http_run()
 * must be called at the latest (monotonic ns; CLOCK_NEVER: not for the time's
 * sake). */
int http_fd(const struct http *h);
int64_t http_due(struct http *h);
void http_run(struct http *h);

#endif
