/* listener: the socket web servers connect to, made or inherited.
 *
 * Looked for in this order: LISTEN_FDS of the systemd protocol
 * (sd_listen_fds(3)), a listening socket as descriptor 0 (spawn-fcgi,
 * mod_fcgid, lighttpd; FastCGI 1.0, section 2.2), the configured address.
 * Start-up only, in one process; errors are for people. */
#ifndef TALLYD_LISTEN_LISTENER_H
#define TALLYD_LISTEN_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct listener_config {
    const char *key;    /* the setting, for complaints: "listen" */
    bool own;           /* make it: an inherited socket is for another use */
    const char *listen; /* see base/address.h */
    int backlog;
    mode_t mode;               /* of a unix socket */
    const char *owner, *group; /* of a unix socket; "": unchanged */
};

struct listener {
    int fd;       /* non-blocking, close-on-exec; -1: none */
    bool adopted; /* inherited: whoever made it keeps it */
    bool is_unix;
    char path[108]; /* of a unix socket we made, else empty */
    dev_t device;   /* of that file, so that only ours is removed */
    ino_t inode;
};

/* Close what else was inherited: neither standard nor offered by LISTEN_FDS.
 * First thing in main(). */
void listener_close_leaked(void);

/* False: `why` (at least 256 bytes) says what is wrong and what to do. Warns
 * in the log when the kernel cuts the backlog. */
bool listener_open(struct listener *l, const struct listener_config *c,
                   char *why, size_t why_size);

/* Could listener_open() open it? Nothing is made; a unix socket that answers
 * gets a connection that ends at once. An address that the process `pool` has,
 * or a service manager keeps for it, is no fault; 0: there is no such pool.
 * False: `why`, as listener_open() would say. */
bool listener_check(const struct listener_config *c, pid_t pool, char *why,
                    size_t why_size);

/* How new connections are kept away while what is queued is still accepted. */
enum listener_bar {
    LISTENER_SHUT,     /* unix: connect(2) is refused */
    LISTENER_FILTERED, /* TCP: the kernel drops what would begin one, so the
                        * peer tries again a second later (tcp(7),
                        * SO_ATTACH_FILTER of socket(7)) */
    LISTENER_OPEN,     /* not at all: the socket is adopted, or the kernel takes
                        * no filter, which the log says */
};

/* No new connection will come, if the result does not say otherwise; the file
 * of our own unix socket is removed. An adopted socket is left alone: whoever
 * listens next serves its queue. */
enum listener_bar listener_retire(struct listener *l);

/* In every process: nothing can be accepted any more, what is still queued on a
 * TCP listener is reset, and connect(2) is refused. Not for an adopted one. */
void listener_shut(const struct listener *l);

void listener_close(struct listener *l);

/* What accept(2) failed with: does it say that a peer was too fast, or a
 * sibling, and not that something is short? */
bool listener_is_empty(int error);

#endif
