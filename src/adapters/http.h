/* http: a small HTTP/1.1 server for pages about the pool. The only user of
 * libmicrohttpd.
 *
 * One process, no threads, never waits for a peer. Every connection carries
 * one request and has one deadline, from its accept to the last byte of its
 * reply; a peer that stops costs its connection until then, and nothing else.
 * Request line and header of a request have to fit 16 KiB. */
#ifndef TALLYD_ADAPTERS_HTTP_H
#define TALLYD_ADAPTERS_HTTP_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http;

/* A GET or HEAD; all others are refused before anybody sees them. */
struct http_request {
    const char *path;   /* without the query, %XX decoded */
    const char *accept; /* the header, "" when there is none */
    void *peer;         /* for http_query() */
};

/* The value of `name` in the query: "" when it stands alone (?json), NULL when
 * it is not there. */
const char *http_query(const struct http_request *r, const char *name);

struct http_reply {
    int status;
    const char *type;   /* Content-Type; static text */
    const char *policy; /* Content-Security-Policy, or NULL; static text */
    char *body;         /* from malloc(3), and taken over; NULL: no memory */
    size_t len;
};

struct http_config {
    int listener; /* non-blocking; taken over */
    unsigned max_connections;
    int64_t timeout; /* ns, of a whole connection */
    void *context;
    void (*answer)(void *context, const struct http_request *r,
                   struct http_reply *reply);
};

/* NULL: memory or descriptors are short. SIGPIPE must be ignored. */
struct http *http_new(const struct http_config *c);
void http_free(struct http **h);

/* Wait, with the signal mask `open`, until there is something to do or a
 * signal came, and do it. Without connections it waits for ever. */
void http_turn(struct http *h, const sigset_t *open);

#endif
