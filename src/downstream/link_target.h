/* link_target: where downstreams are and how they are reached: what link.h and
 * transfer.h have in common. These three are the only users of libcurl. */
#ifndef TALLYD_DOWNSTREAM_LINK_TARGET_H
#define TALLYD_DOWNSTREAM_LINK_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/outcome.h"

/* Which HTTP is spoken. */
enum link_http {
    LINK_HTTP_1_1,
    LINK_HTTP_2,                /* over TLS, if the peer wants it (ALPN) */
    LINK_HTTP_2_PRIOR_KNOWLEDGE /* without asking (RFC 9113, 3.3) */
};

/* Where to, and how. The strings are borrowed; "" or NULL is unset. */
struct link_settings {
    const char *name; /* of `url` among the settings, for messages */
    const char *url;  /* http or https */
    const char *socket;
    const char *ca, *cert, *key;
    const char *proxy;      /* a URL; for a whole transfer alone (transfer.h) */
    enum link_http http;    /* the same */
    int64_t idle, lifetime; /* ns: of a connection that may be used again */
    int64_t connect_timeout; /* ns */
    bool tried; /* its files were looked for before: link_target_new() does not
                 * do it again */
};

/* A URL in the parts that a request needs, percent-encoded but for `user`. */
struct link_url {
    char *path, *query, *host, *port; /* NULL: none, or the default port */
    char *user, *password;            /* NULL: none */
};

struct link_target;

/* NULL: `why` says what is wrong with the URL or a file. The settings are
 * borrowed. Needs no `struct link_set`. */
struct link_target *link_target_new(const struct link_settings *s, char *why,
                                    size_t why_size);
void link_target_free(struct link_target **t);
const struct link_url *link_target_url(const struct link_target *t);

const struct link_settings *link_target_settings(const struct link_target *t);

/* https? */
bool link_target_is_tls(const struct link_target *t);

/* What a process has to be able to do that connects to it, or to its proxy. */
struct link_target_needs {
    bool tls;      /* read certificates */
    bool name;     /* look a name up */
    uint16_t port; /* of TCP; 0: a unix socket */
};

struct link_target_needs link_target_needs(const struct link_target *t);

/* The file of certificates that libcurl takes where none is set; "": none. */
const char *link_target_system_ca(void);

/* A CURL easy handle to it, for curl_easy_cleanup(3): addresses, TLS files, no
 * proxy but that of the settings, no signals, no thread that is waited for.
 * `error` (CURL_ERROR_SIZE bytes) gets libcurl's words as long as it lives.
 * curl_global_init(3) has been called. NULL: memory is short. */
void *link_target_easy(const struct link_target *t, char *error);

/* What a CURLcode means for the request that met it. */
enum outcome link_target_outcome(int code);

#endif
