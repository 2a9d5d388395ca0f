/* lookout: see lookout.h. */
#include "conn_pool/lookout.h"

#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"

/* Found by one system call. */
#define SIGHTS 64

/* An entry is of one connection: the set may know one that is closed here, but
 * not yet everywhere, beside the next one of its place. */
#define PLACE_BITS 16

static uint64_t tag_of(const struct lookout *l, int place)
{
    return l->table->at[place].generation << PLACE_BITS | (uint64_t)place;
}

bool lookout_open(struct lookout *l, struct places *table)
{
    *l = (struct lookout){epoll_create1(EPOLL_CLOEXEC), table};
    return l->set >= 0;
}

void lookout_close(struct lookout *l)
{
    if (l->set >= 0)
        close(l->set);
    l->set = -1;
}

/* Should the kernel not take it, nothing is ever known of its waits. */
void lookout_park(const struct lookout *l, int place, int fd)
{
    struct place *p = &l->table->at[place];
    if (p->watched != p->generation) {
        struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP | EPOLLET,
                                .data.u64 = tag_of(l, place)};
        p->watched = p->generation; /* first, so that it is taken out again */
        epoll_ctl(l->set, EPOLL_CTL_ADD, fd, &e);
    }
    arrival_parked(places_arrival(l->table, place), clock_now());
}

void lookout_forget(const struct lookout *l, int place, int number)
{
    const struct place *p = &l->table->at[place];
    if (p->watched == p->generation)
        epoll_ctl(l->set, EPOLL_CTL_DEL, number, NULL);
    arrival_forget(places_arrival(l->table, place));
}

/* The word is read before the generation, so it is not of a later one. */
static void note(const struct lookout *l, const struct epoll_event *e,
                 int64_t began, int64_t ended)
{
    int place = (int)(e->data.u64 & ((1u << PLACE_BITS) - 1));
    struct arrival *a = places_arrival(l->table, place);
    int64_t word = arrival_word(a);
    if (tag_of(l, place) != e->data.u64)
        return;
    if (e->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        arrival_gone(a, word);
    else
        arrival_seen(a, word, began, ended);
}

static void look(const struct lookout *l)
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

void lookout_look(const struct lookout *l)
{
    _Atomic int64_t *looked = &l->table->looked;
    int64_t now = clock_now();
    int64_t was = atomic_load_explicit(looked, memory_order_relaxed);
    if (now - was >= LOOKOUT_PAUSE &&
        atomic_compare_exchange_strong(looked, &was, now))
        look(l);
}

uint32_t lookout_count(const struct lookout *l)
{
    uint32_t n = 0, most = l->table->most;
    for (uint32_t i = 0; i < most; i++)
        n += arrival_waits(places_arrival(l->table, (int)i));
    return n;
}
