/* tray: see tray.h. */
#include "adapters/tray.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "adapters/mailbox.h"
#include "adapters/sandbox.h"
#include "base/clock.h"

/* Descriptors a process needs besides the mailboxes and the places. */
#define OTHER_FILES 64
#define PLACES_MIN 4

enum { FREE = 0, PARKED = -1 }; /* else the process that owns the place */

struct place {
    _Atomic int32_t owner;
    _Atomic int32_t listed; /* it has an entry in the epoll set */
    _Atomic int64_t deadline;
};

/* Shared by all processes. */
struct tray_table {
    _Atomic int64_t clock_at; /* the clock rings then; CLOCK_NEVER: not set */
    _Atomic int64_t deaf;     /* the listener is not heard until then; 0: is */
    _Atomic int32_t closing;
    _Atomic int32_t knocking;
    struct place places[];
};

struct tray {
    struct tray_table *table;
    uint32_t places;
    int owner; /* this process */
    int set, clock, listener;
    int first;                 /* descriptor number of place 0 */
    struct mailbox *mailboxes; /* per place */
    int64_t next_due;          /* of a scan under way, see tray_next_due() */
    uint8_t *bytes;            /* MAILBOX_BYTES_MAX, for tray_recover() */
};

/* What an entry of the epoll set stands for, besides a place. */
#define TAG_KNOCK UINT64_MAX
#define TAG_CLOCK (UINT64_MAX - 1)

static size_t table_bytes(uint32_t places)
{
    return sizeof(struct tray_table) + places * sizeof(struct place);
}

/* --- Making it. --- */

/* Cut `places` to what the limit of open files allows. */
static bool fit_files(uint32_t *places, char *why, size_t why_size)
{
    uint64_t limit = sandbox_open_files(OTHER_FILES + 3 * (uint64_t)*places);
    if (limit < OTHER_FILES + 3 * PLACES_MIN) {
        snprintf(why, why_size,
                 "the limit of open files is %llu; the least is %d: raise it "
                 "(ulimit -n, LimitNOFILE=)",
                 (unsigned long long)limit, OTHER_FILES + 3 * PLACES_MIN);
        return false;
    }
    uint64_t most = (limit - OTHER_FILES) / 3;
    if (*places > most)
        *places = (uint32_t)most;
    return true;
}

static bool open_mailboxes(struct tray *t)
{
    for (uint32_t i = 0; i < t->places; i++)
        if (!mailbox_open(&t->mailboxes[i]))
            return false;
    return true;
}

static bool listen_for(struct tray *t, int op, int fd, uint32_t events,
                       uint64_t tag)
{
    struct epoll_event e = {.events = events, .data.u64 = tag};
    return epoll_ctl(t->set, op, fd, &e) == 0;
}

static bool open_all(struct tray *t, int listener)
{
    t->listener = listener;
    t->table = mmap(NULL, table_bytes(t->places), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (t->table == MAP_FAILED)
        t->table = NULL;
    t->mailboxes = calloc(t->places, sizeof *t->mailboxes);
    t->bytes = malloc(MAILBOX_BYTES_MAX);
    t->set = epoll_create1(EPOLL_CLOEXEC);
    t->clock = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (t->table == NULL || t->mailboxes == NULL || t->bytes == NULL ||
        t->set < 0 || t->clock < 0)
        return false;
    for (uint32_t i = 0; i < t->places; i++)
        t->mailboxes[i] = (struct mailbox){-1, -1};
    t->table->clock_at = CLOCK_NEVER;
    return open_mailboxes(t) &&
           listen_for(t, EPOLL_CTL_ADD, t->clock, EPOLLIN | EPOLLET,
                      TAG_CLOCK) &&
           listen_for(t, EPOLL_CTL_ADD, listener, EPOLLIN, TAG_KNOCK);
}

struct tray *tray_new(uint32_t places, int listener, char *why, size_t why_size)
{
    why[0] = '\0';
    if (!fit_files(&places, why, why_size))
        return NULL;
    struct tray *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->places = places;
    t->first = OTHER_FILES + 2 * (int)places;
    t->owner = TRAY_SUPERVISOR;
    t->set = t->clock = -1;
    if (open_all(t, listener))
        return t;
    snprintf(why, why_size, "max_connections = %u: %s", places,
             strerror(errno));
    tray_free(&t);
    return NULL;
}

static void close_if_open(int fd)
{
    if (fd >= 0)
        close(fd);
}

void tray_free(struct tray **tray)
{
    struct tray *t = *tray;
    if (t == NULL)
        return;
    for (uint32_t i = 0; t->mailboxes != NULL && i < t->places; i++)
        mailbox_close(&t->mailboxes[i]);
    close_if_open(t->set);
    close_if_open(t->clock);
    if (t->table != NULL)
        munmap(t->table, table_bytes(t->places));
    free(t->mailboxes);
    free(t->bytes);
    free(t);
    *tray = NULL;
}

void tray_join(struct tray *t, int owner)
{
    t->owner = owner;
}

/* --- The clock. --- */

/* Let it ring at `at` or before. Whoever comes second sets it again, so that
 * it is never later than the earliest wish. */
static void set_clock(struct tray *t, int64_t at)
{
    int64_t was = atomic_load(&t->table->clock_at);
    do {
        if (at >= was)
            return;
    } while (!atomic_compare_exchange_weak(&t->table->clock_at, &was, at));
    do {
        at = atomic_load(&t->table->clock_at);
        const struct itimerspec when = {
            .it_value = {.tv_sec = (time_t)(at / CLOCK_SECOND),
                         .tv_nsec = at % CLOCK_SECOND}};
        if (at != CLOCK_NEVER)
            timerfd_settime(t->clock, TFD_TIMER_ABSTIME, &when, NULL);
    } while (at != atomic_load(&t->table->clock_at));
}

int tray_next_due(struct tray *t, int from, int64_t due)
{
    if (from == 0) {
        uint64_t rings;
        while (read(t->clock, &rings, sizeof rings) > 0)
            ;
        atomic_store(&t->table->clock_at, CLOCK_NEVER);
        t->next_due = CLOCK_NEVER;
    }
    for (int i = from; i < (int)t->places; i++) {
        const struct place *p = &t->table->places[i];
        if (p->owner != PARKED)
            continue;
        int64_t deadline = p->deadline;
        if (deadline <= due)
            return i;
        if (deadline < t->next_due)
            t->next_due = deadline;
    }
    int64_t deaf = t->table->deaf;
    set_clock(t, deaf != 0 && deaf < t->next_due ? deaf : t->next_due);
    return -1;
}

/* --- The listener. --- */

static void hear_again(struct tray *t)
{
    if (atomic_exchange(&t->table->deaf, 0) != 0)
        listen_for(t, EPOLL_CTL_MOD, t->listener, EPOLLIN, TAG_KNOCK);
}

/* A place with that owner; -1: none. */
static int find(const struct tray *t, int owner)
{
    for (uint32_t i = 0; i < t->places; i++)
        if (t->table->places[i].owner == owner)
            return (int)i;
    return -1;
}

void tray_pause(struct tray *t, int64_t pause)
{
    int64_t until = pause == 0 ? CLOCK_NEVER : clock_now() + pause;
    listen_for(t, EPOLL_CTL_MOD, t->listener, 0, TAG_KNOCK);
    atomic_store(&t->table->deaf, until);
    set_clock(t, until);
    /* One may have become free before anybody could know that we wait. */
    if (pause == 0 && find(t, FREE) >= 0)
        hear_again(t);
}

/* --- Waiting. --- */

static enum tray_event ring(struct tray *t)
{
    int64_t deaf = atomic_load(&t->table->deaf);
    if (deaf != 0 && deaf <= clock_now())
        hear_again(t);
    return TRAY_CLOCK;
}

enum tray_event tray_wait(struct tray *t, const sigset_t *open, int limit,
                          int *place)
{
    struct epoll_event e;
    if (epoll_pwait(t->set, &e, 1, limit, open) <= 0)
        return TRAY_NOTHING;
    if (e.data.u64 == TAG_KNOCK) {
        atomic_store(&t->table->knocking, 1);
        return TRAY_KNOCK;
    }
    if (e.data.u64 == TAG_CLOCK)
        return ring(t);
    *place = (int)e.data.u64;
    return TRAY_REQUEST;
}

bool tray_knocking(const struct tray *t)
{
    return atomic_load(&t->table->knocking) != 0;
}

void tray_quiet(struct tray *t)
{
    atomic_store(&t->table->knocking, 0);
}

/* --- Places. --- */

int tray_reserve(struct tray *t)
{
    for (uint32_t i = 0; i < t->places; i++) {
        struct place *p = &t->table->places[i];
        int32_t expected = FREE;
        if (p->owner != FREE ||
            !atomic_compare_exchange_strong(&p->owner, &expected, t->owner))
            continue;
        p->listed = 0;
        return (int)i;
    }
    return -1;
}

void tray_vacate(struct tray *t, int place)
{
    atomic_store(&t->table->places[place].owner, FREE);
    if (atomic_load(&t->table->deaf) != 0)
        hear_again(t);
}

/* Give the connection the number of its place, and an entry in the set that
 * tells of nothing yet. */
static bool settle(struct tray *t, int place, int *fd)
{
    int number = t->first + place;
    if (*fd != number) {
        if (dup3(*fd, number, O_CLOEXEC) < 0)
            return false;
        close(*fd);
        *fd = number;
    }
    struct place *p = &t->table->places[place];
    if (p->listed == 0 &&
        !listen_for(t, EPOLL_CTL_ADD, number, EPOLLONESHOT, (uint64_t)place) &&
        errno != EEXIST)
        return false;
    p->listed = 1;
    return true;
}

bool tray_park(struct tray *t, int place, int *fd, const struct iovec *parts,
               int count, int64_t deadline)
{
    struct place *p = &t->table->places[place];
    if (!settle(t, place, fd) ||
        !mailbox_put(&t->mailboxes[place], *fd, parts, count))
        return false;
    atomic_store(&p->deadline, deadline);
    atomic_store(&p->owner, PARKED);
    listen_for(t, EPOLL_CTL_MOD, *fd, EPOLLIN | EPOLLRDHUP | EPOLLONESHOT,
               (uint64_t)place);
    close(*fd);
    *fd = -1;
    set_clock(t, deadline);
    return true;
}

int tray_take(struct tray *t, int place, void *bytes, size_t *n)
{
    int32_t expected = PARKED;
    if (!atomic_compare_exchange_strong(&t->table->places[place].owner,
                                        &expected, t->owner))
        return -1;
    int number = t->first + place;
    int fd = mailbox_take(&t->mailboxes[place], bytes, n);
    if (fd >= 0 && dup3(fd, number, O_CLOEXEC) == number) {
        close(fd);
        return number;
    }
    close_if_open(fd);
    tray_vacate(t, place);
    return -1;
}

bool tray_is_empty(const struct tray *t)
{
    return find(t, PARKED) < 0;
}

/* --- After a death, and at the end. --- */

/* Its event may have gone with the dead: arm it again. */
static void park_again(struct tray *t, int place)
{
    size_t n;
    int fd = tray_take(t, place, t->bytes, &n);
    const struct iovec all = {t->bytes, n};
    if (fd < 0 ||
        tray_park(t, place, &fd, &all, 1, t->table->places[place].deadline))
        return;
    close_if_open(fd);
    tray_vacate(t, place);
}

uint32_t tray_recover(struct tray *t, int owner)
{
    uint32_t lost = 0;
    for (uint32_t i = 0; i < t->places; i++) {
        struct place *p = &t->table->places[i];
        if (p->owner == owner && !mailbox_is_empty(&t->mailboxes[i])) {
            atomic_store(&p->owner, PARKED);
        } else if (p->owner == owner) {
            tray_vacate(t, (int)i);
            lost++;
        }
        if (p->owner == PARKED)
            park_again(t, (int)i);
    }
    atomic_store(&t->table->clock_at, CLOCK_NEVER);
    set_clock(t, clock_now() + CLOCK_MS);
    return lost;
}

void tray_close(struct tray *t)
{
    atomic_store(&t->table->closing, 1);
    epoll_ctl(t->set, EPOLL_CTL_DEL, t->listener, NULL);
}

bool tray_closing(const struct tray *t)
{
    return atomic_load(&t->table->closing) != 0;
}
