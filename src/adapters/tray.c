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
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/alarm.h"
#include "adapters/mailbox.h"
#include "adapters/sandbox.h"
#include "base/clock.h"

/* Descriptors a process needs besides the mailboxes and the places. */
#define OTHER_FILES 64
#define PLACES_MIN 4

enum { FREE = 0, PARKED = -1 }; /* else the process that owns the place */

struct place {
    _Atomic int32_t owner;
    _Atomic int32_t kept; /* it is in the mailbox and in the epoll set */
    _Atomic int64_t deadline;
    _Atomic uint64_t generation; /* of its connection: new for each */
    struct mailbox_note note;
};

/* Shared by all processes. */
struct tray_table {
    _Atomic int64_t clock_at; /* of the clock */
    _Atomic int64_t deaf;     /* the listener is not heard until then; 0: is */
    _Atomic int32_t closing;
    _Atomic int32_t knocking;
    struct place places[];
};

struct tray {
    struct tray_table *table;
    uint32_t places;
    int owner; /* this process */
    int set, listener;
    struct alarm clock;
    struct mailbox *mailboxes; /* per place */
    int64_t next_due;          /* of a scan under way, see tray_next_due() */
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
    int first = OTHER_FILES + 2 * (int)t->places;
    for (uint32_t i = 0; i < t->places; i++)
        if (!mailbox_open(&t->mailboxes[i], &t->table->places[i].note,
                          first + (int)i))
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
    t->set = epoll_create1(EPOLL_CLOEXEC);
    if (t->table == NULL || t->mailboxes == NULL || t->set < 0)
        return false;
    for (uint32_t i = 0; i < t->places; i++)
        t->mailboxes[i] = (struct mailbox){NULL, -1, -1, -1, 0};
    return alarm_open(&t->clock, &t->table->clock_at) && open_mailboxes(t) &&
           listen_for(t, EPOLL_CTL_ADD, t->clock.fd, EPOLLIN | EPOLLET,
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
    t->owner = TRAY_SUPERVISOR;
    t->set = t->clock.fd = -1;
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
    alarm_close(&t->clock);
    if (t->table != NULL)
        munmap(t->table, table_bytes(t->places));
    free(t->mailboxes);
    free(t);
    *tray = NULL;
}

void tray_join(struct tray *t, int owner)
{
    t->owner = owner;
}

/* --- The clock. --- */

int tray_next_due(struct tray *t, int from, int64_t due)
{
    if (from == 0) {
        alarm_reset(&t->clock);
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
    alarm_set(&t->clock, deaf != 0 && deaf < t->next_due ? deaf : t->next_due);
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
    alarm_set(&t->clock, until);
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
        p->generation++;
        return (int)i;
    }
    return -1;
}

void tray_vacate(struct tray *t, int place, int fd)
{
    struct place *p = &t->table->places[place];
    struct mailbox *m = &t->mailboxes[place];
    /* The peer learns at once, though others have copies: they close theirs
     * when they meet the place again. Until this is done it is in the mailbox,
     * so that tray_recover() can. */
    if (fd >= 0)
        shutdown(fd, SHUT_RDWR);
    if (p->kept != 0) {
        epoll_ctl(t->set, EPOLL_CTL_DEL, m->number, NULL);
        mailbox_clear(m);
        p->kept = 0;
    }
    if (fd >= 0 && fd != m->number)
        close(fd);
    mailbox_forget(m);
    atomic_store(&p->owner, FREE);
    if (atomic_load(&t->table->deaf) != 0)
        hear_again(t);
}

/* Put the connection into the mailbox and give it an entry in the set that
 * tells of nothing yet. */
static bool keep(struct tray *t, int place, int *fd)
{
    struct place *p = &t->table->places[place];
    struct mailbox *m = &t->mailboxes[place];
    if (p->kept != 0)
        return true;
    if (!mailbox_put(m, fd, p->generation))
        return false;
    if (!listen_for(t, EPOLL_CTL_ADD, *fd, EPOLLONESHOT, (uint64_t)place) &&
        errno != EEXIST) {
        int error = errno;
        mailbox_clear(m);
        errno = error;
        return false;
    }
    p->kept = 1;
    return true;
}

static void arm(struct tray *t, int place)
{
    atomic_store(&t->table->places[place].owner, PARKED);
    listen_for(t, EPOLL_CTL_MOD, t->mailboxes[place].number,
               EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, (uint64_t)place);
}

bool tray_park(struct tray *t, int place, int *fd, const struct iovec *parts,
               int count, int64_t deadline)
{
    if (!keep(t, place, fd) ||
        !mailbox_write(&t->mailboxes[place], parts, count))
        return false;
    atomic_store(&t->table->places[place].deadline, deadline);
    arm(t, place);
    *fd = -1;
    alarm_set(&t->clock, deadline);
    return true;
}

/* Own a parked place; false: it is not parked any more. */
static bool claim(struct tray *t, int place)
{
    int32_t expected = PARKED;
    return atomic_compare_exchange_strong(&t->table->places[place].owner,
                                          &expected, t->owner);
}

int tray_take(struct tray *t, int place, void *bytes, size_t *n)
{
    struct place *p = &t->table->places[place];
    if (!claim(t, place))
        return -1;
    int fd = mailbox_copy(&t->mailboxes[place], p->generation);
    if (fd < 0) {
        tray_vacate(t, place, -1);
        return -1;
    }
    *n = mailbox_read(&t->mailboxes[place], bytes);
    return fd;
}

bool tray_is_empty(const struct tray *t)
{
    return find(t, PARKED) < 0;
}

/* --- After a death, and at the end. --- */

/* Its event may have gone with the dead: arm it again. */
static void park_again(struct tray *t, int place)
{
    struct mailbox *m = &t->mailboxes[place];
    if (!claim(t, place))
        return;
    mailbox_copy(m, t->table->places[place].generation);
    arm(t, place);
    mailbox_forget(m);
}

uint32_t tray_recover(struct tray *t, int owner)
{
    uint32_t lost = 0;
    for (int i = 0; i < (int)t->places; i++) {
        struct place *p = &t->table->places[i];
        if (p->owner == owner) {
            int fd = mailbox_copy(&t->mailboxes[i], p->generation);
            p->kept = fd >= 0;
            tray_vacate(t, i, fd);
            lost++;
        } else if (p->owner == PARKED) {
            park_again(t, i);
        }
    }
    alarm_reset(&t->clock);
    alarm_set(&t->clock, clock_now() + CLOCK_MS);
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
