/* fcgi: the FastCGI request in hand. The only user of libfcgi.
 *
 * libfcgi parses parameters and writes replies. It never reads a socket: the
 * head of a request is gathered and checked first (fcgi_conn, fastcgi/head) and
 * handed to it complete, and the body reaches its input stream through a fill
 * procedure of ours. So no peer can make libfcgi wait, ask it for 2 GiB or meet
 * its GET_VALUES code, every wait has a deadline, and what follows a request on
 * its connection is not lost in a foreign buffer.
 *
 * One per process, any number of connections, one request at a time. */
#ifndef TALLYD_FASTCGI_FCGI_H
#define TALLYD_FASTCGI_FCGI_H

#include <string.h>

#include "fastcgi/fcgi_conn.h"

struct fcgi;

/* NULL: memory or descriptors are short. libfcgi's signal handlers do not
 * stay; SIGPIPE must be ignored by the caller. */
struct fcgi *fcgi_new(const struct fcgi_config *c);
void fcgi_free(struct fcgi **f);

/* Take over an accepted descriptor. NULL: memory is short; fd is as before. */
struct fcgi_conn *fcgi_open(struct fcgi *f, int fd, int64_t now);

/* Take over a descriptor with what fcgi_conn_pack() made in another process.
 * NULL: memory is short, or these are no such bytes; fd is as before. */
struct fcgi_conn *fcgi_adopt(struct fcgi *f, int fd, const void *bytes,
                             size_t n);

/* Close the descriptor, unless it was handed on (-1), and free the rest. */
void fcgi_close(struct fcgi *f, struct fcgi_conn *conn);

/* --- From fcgi_begin() to fcgi_end(): one request. --- */

/* After FCGI_READY: let libfcgi parse the head. False: it would not
 * (conn->reason); fcgi_close() is all that is left. */
bool fcgi_begin(struct fcgi *f, struct fcgi_conn *conn);

/* A CGI variable (RFC 3875), or NULL; valid until fcgi_end(). Of several with
 * one name the last one counts, as under php-fpm: people include what their
 * web server ships and write their own lines below it. */
const char *fcgi_find_param(const struct fcgi *f, const char *name, size_t n);

static inline const char *fcgi_param(const struct fcgi *f, const char *name)
{
    return fcgi_find_param(f, name, strlen(name));
}

/* Does it come several times, with different values? */
bool fcgi_param_differs(const struct fcgi *f, const char *name);

/* That of CONTENT_LENGTH, without a search. */
const char *fcgi_content_length(const struct fcgi *f);

/* The next bytes of the body; see fcgi_conn_body(). */
enum fcgi_body fcgi_read(struct fcgi *f, const uint8_t **bytes, size_t *n);

/* Has the web server given the request up? See fcgi_conn_abandoned(). */
bool fcgi_abandoned(const struct fcgi *f, int64_t now);

/* Send the whole CGI reply (RFC 3875, 6) and END_REQUEST, at most once. Up to
 * 8160 bytes are one write(2). False: the peer did not take all of it within
 * write_timeout. */
bool fcgi_reply(struct fcgi *f, const char *text, size_t n);

/* The request is over. True: the peer wants to keep the connection, and it
 * stands right after a complete request. */
bool fcgi_end(struct fcgi *f);

#endif
