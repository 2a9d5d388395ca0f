/* conn_set: see conn_set.h. */
#include "conn_pool/conn_set.h"

#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <unistd.h>

/* What an entry stands for, besides a slot. */
#define TAG_LISTENER UINT64_MAX
#define TAG_CLOCK (UINT64_MAX - 1)

/* Beside the slot: the entry is armed for one event. */
#define TAG_ONCE (UINT64_C(1) << 32)

#define COMES (EPOLLIN | EPOLLRDHUP)

static bool control(const struct conn_set *s, int op, int fd, uint32_t events,
                    uint64_t tag)
{
    struct epoll_event e = {.events = events, .data.u64 = tag};
    return epoll_ctl(s->fd, op, fd, &e) == 0;
}

bool conn_set_open(struct conn_set *s, int listener, int clock)
{
    *s = (struct conn_set){epoll_create1(EPOLL_CLOEXEC), listener};
    return s->fd >= 0 &&
           control(s, EPOLL_CTL_ADD, clock, EPOLLIN | EPOLLET, TAG_CLOCK) &&
           control(s, EPOLL_CTL_ADD, listener, EPOLLIN, TAG_LISTENER);
}

void conn_set_close(struct conn_set *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

void conn_set_hear(const struct conn_set *s, bool hear)
{
    control(s, EPOLL_CTL_MOD, s->listener, hear ? EPOLLIN : 0, TAG_LISTENER);
}

void conn_set_deafen(const struct conn_set *s)
{
    control(s, EPOLL_CTL_DEL, s->listener, 0, 0);
}

bool conn_set_add(const struct conn_set *s, int slot, int fd)
{
    return control(s, EPOLL_CTL_ADD, fd, COMES | EPOLLET, (uint64_t)slot);
}

void conn_set_arm(const struct conn_set *s, int slot, int fd,
                  enum conn_set_state state)
{
    static const uint32_t events[] = {
        [CONN_SET_STEADY] = COMES | EPOLLET,
        [CONN_SET_ONCE] = COMES | EPOLLONESHOT,
        [CONN_SET_AT_ONCE] = COMES | EPOLLONESHOT | EPOLLOUT,
    };
    control(s, EPOLL_CTL_MOD, fd, events[state],
            (uint64_t)slot | (state == CONN_SET_STEADY ? 0 : TAG_ONCE));
}

void conn_set_remove(const struct conn_set *s, int fd)
{
    control(s, EPOLL_CTL_DEL, fd, 0, 0);
}

struct conn_set_event conn_set_wait(const struct conn_set *s,
                                    const sigset_t *open, int limit)
{
    struct epoll_event e;
    if (epoll_pwait(s->fd, &e, 1, limit, open) <= 0)
        return (struct conn_set_event){.about = CONN_SET_NOTHING};
    if (e.data.u64 == TAG_LISTENER)
        return (struct conn_set_event){.about = CONN_SET_LISTENER};
    if (e.data.u64 == TAG_CLOCK)
        return (struct conn_set_event){.about = CONN_SET_CLOCK};
    return (struct conn_set_event){
        .about = CONN_SET_CONNECTION,
        .slot = (int)(e.data.u64 & ~TAG_ONCE),
        .spent = (e.data.u64 & TAG_ONCE) != 0,
        .left = (e.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0};
}

bool conn_set_is_ready(const struct conn_set *s)
{
    struct pollfd p = {.fd = s->fd, .events = POLLIN};
    return poll(&p, 1, 0) > 0;
}
