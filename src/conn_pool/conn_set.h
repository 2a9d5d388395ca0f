/* conn_set: the epoll set in which all workers wait, and what they are told.
 *
 * It has an entry for the listener, one for the clock (shared_timer.h), and one
 * for each connection that was ever parked. The kernel tells one waiting
 * process of each event (epoll(7)). A connection's entry is in one of three
 * states:
 *
 *   - CONN_SET_STEADY: armed, and it stays so (EPOLLET). There is an event
 *     whenever something comes, whoever owns the connection. Nothing is told of
 *     what had come before and was left unread.
 *   - CONN_SET_ONCE: armed for one event (EPOLLONESHOT), at once if something
 *     is unread. After it the entry is disarmed.
 *   - CONN_SET_AT_ONCE: the same, and the event comes, behind all that wait
 *     now, as soon as something could be written (EPOLLOUT).
 *
 * The set knows an entry by open file and descriptor number, and keeps it until
 * conn_set_remove(), whatever descriptors are closed. */
#ifndef TALLYD_CONN_POOL_CONN_SET_H
#define TALLYD_CONN_POOL_CONN_SET_H

#include <signal.h>
#include <stdbool.h>

struct conn_set {
    int fd;       /* -1: not open */
    int listener; /* borrowed */
};

enum conn_set_state { CONN_SET_STEADY, CONN_SET_ONCE, CONN_SET_AT_ONCE };

/* Make it, with entries for both descriptors. False: errno. */
bool conn_set_open(struct conn_set *s, int listener, int clock);
void conn_set_close(struct conn_set *s);

/* Shall there be an event while the listener has connections? */
void conn_set_hear(const struct conn_set *s, bool hear);

/* The listener leaves the set. */
void conn_set_deafen(const struct conn_set *s);

/* An entry for the connection `fd` of a slot, CONN_SET_STEADY; if something is
 * unread there is an event. False, with errno: EEXIST, it has one. */
bool conn_set_add(const struct conn_set *s, int slot, int fd);
void conn_set_arm(const struct conn_set *s, int slot, int fd,
                  enum conn_set_state state);
void conn_set_remove(const struct conn_set *s, int fd);

enum conn_set_about {
    CONN_SET_NOTHING, /* a signal came, or the time is over */
    CONN_SET_LISTENER,
    CONN_SET_CLOCK,
    CONN_SET_CONNECTION,
};

struct conn_set_event {
    enum conn_set_about about;
    /* Of a connection. */
    int slot;
    bool spent; /* its entry is disarmed now */
    bool left;  /* its peer had closed its sending side, or all of it */
};

/* Wait for one event, at most `limit` ms (-1: for ever), with the signal mask
 * `open` while waiting. */
struct conn_set_event conn_set_wait(const struct conn_set *s,
                                    const sigset_t *open, int limit);

/* Does an event wait for somebody? It is not taken. */
bool conn_set_is_ready(const struct conn_set *s);

#endif
