/* conn_watch: see conn_watch.h. */
#include "conn_pool/conn_watch.h"

#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"

/* Found by one system call. */
#define SIGHTS 64

/* An entry is of one connection: the set may know one that is closed here, but
 * not yet everywhere, beside the next one of its slot. */
#define SLOT_BITS 16

static uint64_t tag_of(const struct conn_watch *l, int slot)
{
    return l->table->at[slot].generation << SLOT_BITS | (uint64_t)slot;
}

bool conn_watch_open(struct conn_watch *l, struct conn_table *table)
{
    *l = (struct conn_watch){epoll_create1(EPOLL_CLOEXEC), table};
    return l->set >= 0;
}

void conn_watch_close(struct conn_watch *l)
{
    if (l->set >= 0)
        close(l->set);
    l->set = -1;
}

/* Should the kernel not take it, nothing is ever known of its waits. */
void conn_watch_park(const struct conn_watch *l, int slot, int fd)
{
    struct conn_slot *p = &l->table->at[slot];
    if (p->watched != p->generation) {
        struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET,
                                .data.u64 = tag_of(l, slot)};
        p->watched = p->generation; /* first, so that it is taken out again */
        epoll_ctl(l->set, EPOLL_CTL_ADD, fd, &e);
    }
    readable_since_parked(conn_table_readable(l->table, slot), clock_now());
}

void conn_watch_forget(const struct conn_watch *l, int slot, int number)
{
    const struct conn_slot *p = &l->table->at[slot];
    if (p->watched == p->generation)
        epoll_ctl(l->set, EPOLL_CTL_DEL, number, NULL);
    readable_since_forget(conn_table_readable(l->table, slot));
}

/* The word is read before the generation, so it is not of a later one. */
static void note(const struct conn_watch *l, const struct epoll_event *e,
                 int64_t began, int64_t ended)
{
    int slot = (int)(e->data.u64 & ((1u << SLOT_BITS) - 1));
    struct readable_since *a = conn_table_readable(l->table, slot);
    int64_t word = readable_since_word(a);
    if (tag_of(l, slot) != e->data.u64)
        return;
    if (e->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        readable_since_gone(a, word);
    else
        readable_since_seen(a, word, began, ended);
}

static void look(const struct conn_watch *l)
{
    struct epoll_event sights[SIGHTS];
    int n = SIGHTS;
    for (uint32_t i = 0; n == SIGHTS && i <= l->table->count / SIGHTS; i++) {
        int64_t began = clock_now();
        n = epoll_wait(l->set, sights, SIGHTS, 0);
        int64_t ended = clock_now();
        for (int k = 0; k < n; k++)
            note(l, &sights[k], began, ended);
    }
}

void conn_watch_look(const struct conn_watch *l)
{
    _Atomic int64_t *looked = &l->table->looked;
    int64_t now = clock_now();
    int64_t was = atomic_load_explicit(looked, memory_order_relaxed);
    if (now - was >= CONN_WATCH_PAUSE &&
        atomic_compare_exchange_strong(looked, &was, now))
        look(l);
}

uint32_t conn_watch_count(const struct conn_watch *l, int64_t *since)
{
    uint32_t n = 0, most = l->table->most;
    int64_t oldest = 0;
    for (uint32_t i = 0; i < most; i++) {
        int64_t word =
            readable_since_word(conn_table_readable(l->table, (int)i));
        if (word <= 0)
            continue;
        n++;
        if (oldest == 0 || word < oldest)
            oldest = word;
    }
    if (since != NULL)
        *since = oldest;
    return n;
}
