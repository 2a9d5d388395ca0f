/* http_peers: see http_peers.h. */
#include "status/http_peers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"

enum { TOO_LARGE = 413, NO_MEMORY = 500 };

struct http_peers *http_peers_new(unsigned count, int64_t timeout,
                                  int64_t silence)
{
    struct http_peers *p = calloc(1, sizeof *p + count * sizeof p->slots[0]);
    if (p == NULL)
        return NULL;
    p->count = count;
    p->timeout = timeout;
    p->silence = silence;
    return p;
}

void http_peers_free(struct http_peers **p)
{
    free(*p);
    *p = NULL;
}

struct http_peer *http_peers_open(struct http_peers *p, int fd)
{
    for (unsigned i = 0; i < p->count; i++)
        if (p->slots[i].deadline == 0) {
            p->slots[i].fd = fd;
            p->slots[i].opened = clock_now();
            p->slots[i].deadline =
                p->slots[i].opened + (p->silence > 0 && p->silence < p->timeout
                                          ? p->silence
                                          : p->timeout);
            return &p->slots[i];
        }
    return NULL;
}

void http_peers_close(struct http_peer *peer)
{
    http_peers_drop(&peer->request);
    peer->deadline = 0;
}

static void cut(struct http_peer *peer)
{
    shutdown(peer->fd, SHUT_RDWR);
    peer->deadline = CLOCK_NEVER;
}

void http_peers_hear(const struct http_peers *p, struct http_peer *peer)
{
    if (p->silence > 0 && peer->deadline != CLOCK_NEVER)
        peer->deadline = peer->opened + p->timeout;
}

void http_peers_make_room(struct http_peers *p, unsigned most,
                          const struct http_peer *last)
{
    struct http_peer *first = NULL;
    unsigned there = 0;
    for (unsigned i = 0; i < p->count; i++) {
        struct http_peer *peer = &p->slots[i];
        if (peer->deadline == 0 || peer->deadline == CLOCK_NEVER)
            continue;
        there++;
        if (peer == last)
            continue;
        int behind =
            first == NULL ? -1 : peer->request.begun - first->request.begun;
        if (behind < 0 || (behind == 0 && peer->opened < first->opened))
            first = peer;
    }
    if (there > most && first != NULL)
        cut(first);
}

void http_peers_renew(const struct http_peers *p, struct http_peer *peer)
{
    if (peer->deadline != CLOCK_NEVER)
        peer->deadline = clock_now() + p->timeout;
}

int64_t http_peers_cut(struct http_peers *p, int64_t now)
{
    int64_t next = CLOCK_NEVER;
    for (unsigned i = 0; i < p->count; i++) {
        struct http_peer *peer = &p->slots[i];
        if (peer->deadline == 0 || peer->deadline == CLOCK_NEVER)
            continue;
        if (peer->deadline <= now) {
            cut(peer);
        } else if (peer->deadline < next) {
            next = peer->deadline;
        }
    }
    return next;
}

unsigned http_peers_open_count(const struct http_peers *p)
{
    unsigned n = 0;
    for (unsigned i = 0; i < p->count; i++)
        n += p->slots[i].deadline != 0;
    return n;
}

bool http_peers_are_idle(const struct http_peers *p)
{
    for (unsigned i = 0; i < p->count; i++)
        if (p->slots[i].request.target != NULL)
            return false;
    return true;
}

/* What is too much is still read, for not all clients look for an answer before
 * their body is gone; the deadline bounds that. */
void http_peers_add(struct http_inbound *r, const char *bytes, size_t n,
                    size_t most)
{
    if (r->status == 0 && n > most - r->n)
        r->status = TOO_LARGE;
    if (r->status == 0 && r->n + n + 1 > r->room) {
        size_t room = 2 * (r->n + n) + 1;
        char *grown = realloc(r->bytes, room);
        if (grown == NULL) {
            r->status = NO_MEMORY;
        } else {
            r->bytes = grown;
            r->room = room;
        }
    }
    if (r->status != 0)
        return;
    memcpy(r->bytes + r->n, bytes, n);
    r->n += n;
    r->bytes[r->n] = '\0';
}

void http_peers_drop(struct http_inbound *r)
{
    free(r->target);
    free(r->bytes);
    *r = (struct http_inbound){0};
}
