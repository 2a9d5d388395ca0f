/* roster: see roster.h. */
#include "scoreboard/roster.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "os/share.h"

#define WORDS (ROSTER_MOST / 64)

struct board {
    /* Read at each request, seldom written. */
    _Alignas(64) _Atomic uint32_t least; /* 0: nobody wants to know */
    /* Written at each request. */
    _Alignas(64) _Atomic uint64_t idle[WORDS];
    _Alignas(64) _Atomic int64_t since[]; /* 0: not known yet */
};

struct roster {
    struct board *shared;
    uint32_t count;
    int memory, bell; /* descriptors */
};

static size_t bytes_for(uint32_t count)
{
    return sizeof(struct board) + count * sizeof(int64_t);
}

static struct roster *make(uint32_t count, int memory, int bell)
{
    struct roster *r = calloc(1, sizeof *r);
    if (r != NULL) {
        *r = (struct roster){NULL, count, memory, bell};
        return r;
    }
    share_free(NULL, 0, memory);
    share_free(NULL, 0, bell);
    return NULL;
}

struct roster *roster_new(uint32_t count)
{
    struct roster *r = make(count, -1, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (r == NULL)
        return NULL;
    r->shared = share_new("tallyd-roster", bytes_for(count), &r->memory);
    if (r->bell >= 0 && r->shared != NULL)
        return r;
    roster_free(&r);
    return NULL;
}

void roster_hand_over(const struct roster *r, int *memory, int *bell)
{
    *memory = r->memory;
    *bell = r->bell;
}

struct roster *roster_take_over(int memory, int bell, uint32_t count)
{
    struct roster *r = make(count, memory, bell);
    if (r == NULL)
        return NULL;
    r->shared = share_map(memory, bytes_for(count));
    if (r->shared != NULL)
        return r;
    roster_free(&r);
    return NULL;
}

void roster_free(struct roster **roster)
{
    struct roster *r = *roster;
    if (r == NULL)
        return;
    share_free(r->shared, bytes_for(r->count), r->memory);
    share_free(NULL, 0, r->bell);
    free(r);
    *roster = NULL;
}

static uint32_t count_idle(const struct roster *r)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i * 64 < r->count; i++)
        n += (uint32_t)__builtin_popcountll(atomic_load(&r->shared->idle[i]));
    return n;
}

static void ring(const struct roster *r)
{
    /* Full, it has rung: nothing is lost. */
    if (eventfd_write(r->bell, 1) != 0)
        return;
}

/* A bit is cleared before the number is read, and the number written before
 * the bits are counted: whoever comes second sees both. */
static void ring_if_few(const struct roster *r)
{
    uint32_t least = atomic_load(&r->shared->least);
    if (least == 0 || count_idle(r) >= least)
        return;
    if (atomic_exchange(&r->shared->least, 0) != 0)
        ring(r);
}

void roster_idle(const struct roster_seat *seat)
{
    if (seat->roster == NULL)
        return;
    struct board *b = seat->roster->shared;
    atomic_store_explicit(&b->since[seat->number], clock_now(),
                          memory_order_relaxed);
    atomic_fetch_or(&b->idle[seat->number / 64], UINT64_C(1)
                                                     << seat->number % 64);
}

void roster_forget(struct roster *r, uint32_t number)
{
    atomic_fetch_and(&r->shared->idle[number / 64],
                     ~(UINT64_C(1) << number % 64));
}

void roster_busy(const struct roster_seat *seat)
{
    if (seat->roster == NULL)
        return;
    roster_forget(seat->roster, seat->number);
    ring_if_few(seat->roster);
}

void roster_ready(const struct roster_seat *seat)
{
    if (seat->roster == NULL)
        return;
    roster_idle(seat);
    ring(seat->roster);
}

int64_t roster_since(const struct roster *r, uint32_t number)
{
    uint64_t word = atomic_load(&r->shared->idle[number / 64]);
    if ((word >> number % 64 & 1) == 0)
        return 0;
    return atomic_load_explicit(&r->shared->since[number],
                                memory_order_relaxed);
}

void roster_ask(struct roster *r, uint32_t least)
{
    atomic_store(&r->shared->least, least);
    ring_if_few(r);
}

int roster_bell(const struct roster *r)
{
    return r->bell;
}

bool roster_has_rung(struct roster *r)
{
    eventfd_t n;
    return eventfd_read(r->bell, &n) == 0;
}
