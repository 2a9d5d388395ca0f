/* idle_set: see idle_set.h. */
#include "scoreboard/idle_set.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "os/share.h"

#define WORDS (IDLE_SET_MOST / 64)

struct board {
    /* Read at each request, seldom written. */
    _Alignas(64) _Atomic uint32_t least; /* 0: nobody wants to know */
    /* Written at each request. */
    _Alignas(64) _Atomic uint64_t idle[WORDS];
    _Alignas(64) _Atomic int64_t since[]; /* 0: not known yet */
};

struct idle_set {
    struct board *shared;
    uint32_t count;
    int memory, bell; /* descriptors */
};

static size_t bytes_for(uint32_t count)
{
    return sizeof(struct board) + count * sizeof(int64_t);
}

static struct idle_set *make(uint32_t count, int memory, int bell)
{
    struct idle_set *r = calloc(1, sizeof *r);
    if (r != NULL) {
        *r = (struct idle_set){NULL, count, memory, bell};
        return r;
    }
    share_free(NULL, 0, memory);
    share_free(NULL, 0, bell);
    return NULL;
}

struct idle_set *idle_set_new(uint32_t count)
{
    struct idle_set *r =
        make(count, -1, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (r == NULL)
        return NULL;
    r->shared = share_new("tallyd-idle-set", bytes_for(count), &r->memory);
    if (r->bell >= 0 && r->shared != NULL)
        return r;
    idle_set_free(&r);
    return NULL;
}

uint32_t idle_set_layout(void)
{
    static const size_t sizes[] = {IDLE_SET_MOST, sizeof(struct board),
                                   offsetof(struct board, idle),
                                   offsetof(struct board, since)};
    return share_layout(sizes, sizeof sizes / sizeof sizes[0]);
}

void idle_set_hand_over(const struct idle_set *r, int *memory, int *bell)
{
    *memory = r->memory;
    *bell = r->bell;
}

struct idle_set *idle_set_take_over(int memory, int bell, uint32_t count)
{
    struct idle_set *r = make(count, memory, bell);
    if (r == NULL)
        return NULL;
    r->shared = share_map(memory, bytes_for(count));
    if (r->shared != NULL)
        return r;
    idle_set_free(&r);
    return NULL;
}

void idle_set_free(struct idle_set **idle_set)
{
    struct idle_set *r = *idle_set;
    if (r == NULL)
        return;
    share_free(r->shared, bytes_for(r->count), r->memory);
    share_free(NULL, 0, r->bell);
    free(r);
    *idle_set = NULL;
}

static uint32_t count_idle(const struct idle_set *r)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i * 64 < r->count; i++)
        n += (uint32_t)__builtin_popcountll(atomic_load(&r->shared->idle[i]));
    return n;
}

static void ring(const struct idle_set *r)
{
    /* Full, it has rung: nothing is lost. */
    if (eventfd_write(r->bell, 1) != 0)
        return;
}

/* A bit is cleared before the number is read, and the number written before
 * the bits are counted: whoever comes second sees both. */
static void ring_if_few(const struct idle_set *r)
{
    uint32_t least = atomic_load(&r->shared->least);
    if (least == 0 || count_idle(r) >= least)
        return;
    if (atomic_exchange(&r->shared->least, 0) != 0)
        ring(r);
}

void idle_set_idle(const struct idle_set_seat *seat)
{
    if (seat->idle_set == NULL)
        return;
    struct board *b = seat->idle_set->shared;
    atomic_store_explicit(&b->since[seat->number], clock_now(),
                          memory_order_relaxed);
    atomic_fetch_or(&b->idle[seat->number / 64], UINT64_C(1)
                                                     << seat->number % 64);
}

void idle_set_forget(struct idle_set *r, uint32_t number)
{
    atomic_fetch_and(&r->shared->idle[number / 64],
                     ~(UINT64_C(1) << number % 64));
}

void idle_set_busy(const struct idle_set_seat *seat)
{
    if (seat->idle_set == NULL)
        return;
    idle_set_forget(seat->idle_set, seat->number);
    ring_if_few(seat->idle_set);
}

void idle_set_ready(const struct idle_set_seat *seat)
{
    if (seat->idle_set == NULL)
        return;
    idle_set_idle(seat);
    ring(seat->idle_set);
}

int64_t idle_set_since(const struct idle_set *r, uint32_t number)
{
    uint64_t word = atomic_load(&r->shared->idle[number / 64]);
    if ((word >> number % 64 & 1) == 0)
        return 0;
    return atomic_load_explicit(&r->shared->since[number],
                                memory_order_relaxed);
}

void idle_set_ask(struct idle_set *r, uint32_t least)
{
    atomic_store(&r->shared->least, least);
    ring_if_few(r);
}

int idle_set_bell(const struct idle_set *r)
{
    return r->bell;
}

bool idle_set_has_rung(struct idle_set *r)
{
    eventfd_t n;
    return eventfd_read(r->bell, &n) == 0;
}
