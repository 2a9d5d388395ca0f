/* shadow_queue: see shadow_queue.h. */
#include "shadow/shadow_queue.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/entropy.h"

/* The state of a slot; else it is the process that owns it. */
enum { FREE = 0, SUBMITTED = -1 };

/* A slot keeps as much memory when it is free again. */
#define KEPT_BYTES (64 * 1024)

#define PAGE_BYTES 4096

/* A process's own view. */
struct shadow_queue {
    _Atomic int32_t *states; /* shared, one for each slot */
    uint8_t *slots;          /* shared */
    uint32_t count;
    uint64_t max_body;
    size_t stride; /* bytes of a slot: whole pages */
    int bell;      /* an eventfd(2) that is readable when one was submitted */
    int epoll;     /* -1: not joined */
    uint32_t hint; /* where to look first */
    char name[17];
};

static size_t states_bytes(uint32_t count)
{
    return (count * sizeof(_Atomic int32_t) + PAGE_BYTES - 1) &
           ~(size_t)(PAGE_BYTES - 1);
}

static size_t map_bytes(const struct shadow_queue *q)
{
    return states_bytes(q->count) + q->count * q->stride;
}

static bool map_places(struct shadow_queue *q)
{
    void *map = mmap(NULL, map_bytes(q), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED)
        return false;
    q->states = map;
    q->slots = (uint8_t *)map + states_bytes(q->count);
    return true;
}

static void make_name(char name[17])
{
    struct entropy e = {0};
    const uint8_t *random = entropy_take(&e, 8);
    for (int i = 0; i < 8; i++)
        snprintf(name + 2 * i, 3, "%02x", random[i]);
}

struct shadow_queue *shadow_queue_new(uint32_t count, uint64_t max_body)
{
    struct shadow_queue *q = calloc(1, sizeof *q);
    if (q == NULL)
        return NULL;
    q->count = count;
    q->max_body = max_body;
    q->stride = (sizeof(struct shadow_case) + max_body + PAGE_BYTES) &
                ~(size_t)(PAGE_BYTES - 1);
    q->epoll = -1;
    make_name(q->name);
    q->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (q->bell < 0 || !map_places(q))
        shadow_queue_free(&q);
    return q;
}

void shadow_queue_free(struct shadow_queue **queue)
{
    struct shadow_queue *q = *queue;
    int error = errno;
    if (q == NULL)
        return;
    if (q->states != NULL)
        munmap((void *)q->states, map_bytes(q));
    if (q->bell >= 0)
        close(q->bell);
    if (q->epoll >= 0)
        close(q->epoll);
    free(q);
    *queue = NULL;
    errno = error;
}

const char *shadow_queue_name(const struct shadow_queue *q)
{
    return q->name;
}

uint64_t shadow_queue_max_body(const struct shadow_queue *q)
{
    return q->max_body;
}

struct shadow_case *shadow_queue_case(const struct shadow_queue *q, int slot)
{
    return (struct shadow_case *)(void *)(q->slots + (size_t)slot * q->stride);
}

/* The next slot in that state becomes `owner`'s; -1: there is none. Each
 * process goes round from where it was last, so that no slot waits for ever.
 */
static int take(struct shadow_queue *q, int32_t state, int owner)
{
    for (uint32_t i = 0; i < q->count; i++) {
        uint32_t slot = (q->hint + i) % q->count;
        int32_t was = state;
        if (atomic_load_explicit(&q->states[slot], memory_order_relaxed) !=
                state ||
            !atomic_compare_exchange_strong(&q->states[slot], &was, owner))
            continue;
        q->hint = slot + 1;
        return (int)slot;
    }
    return -1;
}

int shadow_queue_reserve(struct shadow_queue *q, int owner)
{
    return take(q, FREE, owner);
}

static void ring(const struct shadow_queue *q)
{
    const uint64_t one = 1;
    /* It cannot fail but for being full, and then it is readable. */
    if (write(q->bell, &one, sizeof one) < 0)
        return;
}

void shadow_queue_submit(struct shadow_queue *q, int slot)
{
    atomic_store(&q->states[slot], SUBMITTED);
    ring(q);
}

/* What a long body has used goes back to the system. */
void shadow_queue_release(struct shadow_queue *q, int slot)
{
    const struct shadow_case *c = shadow_queue_case(q, slot);
    uint8_t *start = q->slots + (size_t)slot * q->stride;
    if (c->body_len > KEPT_BYTES && q->stride > KEPT_BYTES)
        madvise(start + KEPT_BYTES, q->stride - KEPT_BYTES, MADV_REMOVE);
    atomic_store(&q->states[slot], FREE);
}

/* --- Shadow processes. --- */

bool shadow_queue_join(struct shadow_queue *q)
{
    /* One submitted request wakes one of those that wait. */
    struct epoll_event e = {.events = EPOLLIN | EPOLLEXCLUSIVE};
    q->epoll = epoll_create1(EPOLL_CLOEXEC);
    return q->epoll >= 0 &&
           epoll_ctl(q->epoll, EPOLL_CTL_ADD, q->bell, &e) == 0;
}

int shadow_queue_claim(struct shadow_queue *q, int owner)
{
    return take(q, SUBMITTED, owner);
}

/* Whoever waits has looked through all slots after it has last silenced the
 * bell, so none is forgotten. */
void shadow_queue_wait(struct shadow_queue *q, const sigset_t *open, int most)
{
    struct epoll_event e;
    uint64_t rung;
    if (epoll_pwait(q->epoll, &e, 1, most, open) <= 0)
        return;
    if (read(q->bell, &rung, sizeof rung) < 0)
        return; /* another one was faster */
}

uint32_t shadow_queue_recover(struct shadow_queue *q, int owner)
{
    uint32_t n = 0;
    bool waits = false;
    for (uint32_t i = 0; i < q->count; i++) {
        int32_t state = q->states[i];
        waits = waits || state == SUBMITTED;
        if (state == owner) {
            shadow_queue_release(q, (int)i);
            n++;
        }
    }
    /* The dead may not have rung, or have silenced the bell and not looked. */
    if (waits)
        ring(q);
    return n;
}
