/* conn_pool: see conn_pool.h. */
#include "conn_pool/conn_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "conn_pool/conn_count.h"
#include "conn_pool/conn_table.h"
#include "conn_pool/conn_watch.h"
#include "conn_pool/fd_store.h"
#include "os/limits.h"
#include "os/shared_timer.h"

struct conn_pool {
    struct conn_table *table;
    int memory; /* its descriptor */
    int vacant; /* what a slot's number is without a copy; see fd_store.h */
    int owner;  /* this process */
    struct conn_count_counters counters;
    int set, listener;
    struct shared_timer clock;
    struct conn_watch conn_watch;
    bool looks_out;          /* this process wants to know what waits */
    struct fd_store *stores; /* per slot */
    int64_t next_due;        /* of a scan under way, see conn_pool_next_due() */
};

/* What an entry of the epoll set stands for, besides a slot. */
#define TAG_KNOCK UINT64_MAX
#define TAG_CLOCK (UINT64_MAX - 1)

/* Until others look after a connection that one process could not take, and
 * until that one listens again: longer, lest it be told of it every time. */
#define ADRIFT_PAUSE CLOCK_MS
#define ADRIFT_ASIDE_MS 10

static bool listen_for(struct conn_pool *t, int op, int fd, uint32_t events,
                       uint64_t tag)
{
    struct epoll_event e = {.events = events, .data.u64 = tag};
    return epoll_ctl(t->set, op, fd, &e) == 0;
}

/* --- Making it, and freeing it. --- */

#define SLOTS_MIN 4

/* It can neither be read nor written, nor be in an epoll set (open(2)). */
static bool open_vacant(struct conn_pool *t)
{
    t->vacant = open("/", O_PATH | O_CLOEXEC);
    return t->vacant >= 0;
}

/* The numbers of the slots are above all that a process usually opens. So the
 * next program, which has opened less than CONN_POOL_OTHER_FILES when it takes
 * the pool over, finds them not open. */
static bool open_stores(struct conn_pool *t)
{
    int least = CONN_POOL_OTHER_FILES + 2 * (int)t->table->count;
    for (uint32_t i = 0; i < t->table->count; i++) {
        struct fd_store *m = &t->stores[i];
        if (!fd_store_open(m, &t->table->at[i].note, least, t->vacant))
            return false;
        least = m->number + 1;
    }
    return true;
}

static bool take_stores_over(struct conn_pool *t)
{
    for (uint32_t i = 0; i < t->table->count; i++)
        if (!fd_store_take_over(&t->stores[i], t->vacant))
            return false;
    return true;
}

/* Without any of its parts. */
static struct conn_pool *new_empty(uint32_t slots, int listener)
{
    struct conn_pool *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->owner = CONN_POOL_SUPERVISOR;
    t->listener = listener;
    t->memory = t->vacant = t->set = t->clock.fd = t->conn_watch.set = -1;
    t->stores = calloc(slots, sizeof *t->stores);
    if (t->stores == NULL) {
        free(t);
        return NULL;
    }
    for (uint32_t i = 0; i < slots; i++)
        t->stores[i] = (struct fd_store){.near = -1, .far = -1, .number = -1};
    return t;
}

static bool open_all(struct conn_pool *t, uint32_t slots)
{
    t->table = conn_table_new(slots, &t->memory);
    t->set = epoll_create1(EPOLL_CLOEXEC);
    return t->table != NULL && t->set >= 0 &&
           shared_timer_open(&t->clock, &t->table->clock_at) &&
           conn_watch_open(&t->conn_watch, t->table) && open_vacant(t) &&
           open_stores(t) &&
           listen_for(t, EPOLL_CTL_ADD, t->clock.fd, EPOLLIN | EPOLLET,
                      TAG_CLOCK) &&
           listen_for(t, EPOLL_CTL_ADD, t->listener, EPOLLIN, TAG_KNOCK);
}

struct conn_pool *conn_pool_new(uint32_t slots, int listener, char *why,
                                size_t why_size)
{
    why[0] = '\0';
    if (!limits_fit_files(&slots, CONN_POOL_FILES_EACH, CONN_POOL_OTHER_FILES,
                          SLOTS_MIN, why, why_size))
        return NULL;
    struct conn_pool *t = new_empty(slots, listener);
    if (t == NULL || open_all(t, slots))
        return t;
    snprintf(why, why_size, "max_connections = %u: %s", slots, strerror(errno));
    conn_pool_free(&t);
    return NULL;
}

static void close_if_open(int fd)
{
    if (fd >= 0)
        close(fd);
}

void conn_pool_free(struct conn_pool **conn_pool)
{
    struct conn_pool *t = *conn_pool;
    if (t == NULL)
        return;
    for (uint32_t i = 0; t->table != NULL && i < t->table->count; i++)
        fd_store_close(&t->stores[i]);
    close_if_open(t->set);
    shared_timer_close(&t->clock);
    conn_watch_close(&t->conn_watch);
    close_if_open(t->vacant);
    conn_table_free(t->table, t->memory);
    free(t->stores);
    free(t);
    *conn_pool = NULL;
}

/* --- The next program. --- */

uint32_t conn_pool_slots(const struct conn_pool *t)
{
    return t->table->count;
}

void conn_pool_hand_over(const struct conn_pool *t,
                         struct conn_pool_files *files,
                         struct conn_pool_store *stores)
{
    *files = (struct conn_pool_files){.memory = t->memory,
                                      .set = t->set,
                                      .clock = t->clock.fd,
                                      .conn_watch = t->conn_watch.set};
    for (uint32_t i = 0; i < t->table->count; i++)
        stores[i] =
            (struct conn_pool_store){t->stores[i].near, t->stores[i].far};
}

struct conn_pool *conn_pool_take_over(const struct conn_pool_files *files,
                                      const struct conn_pool_store *stores,
                                      uint32_t slots, int listener)
{
    struct conn_pool *t = new_empty(slots, listener);
    if (t == NULL)
        return NULL;
    t->table = conn_table_map(files->memory, slots);
    t->memory = files->memory;
    t->set = files->set;
    if (t->table == NULL) {
        conn_pool_free(&t);
        return NULL;
    }
    t->clock = (struct shared_timer){files->clock, &t->table->clock_at};
    t->conn_watch = (struct conn_watch){files->conn_watch, t->table};
    for (uint32_t i = 0; i < slots; i++)
        t->stores[i] = (struct fd_store){.note = &t->table->at[i].note,
                                         .near = stores[i].near,
                                         .far = stores[i].far,
                                         .number = -1};
    if (open_vacant(t) && take_stores_over(t))
        return t;
    int error = errno;
    conn_pool_free(&t);
    errno = error;
    return NULL;
}

/* --- A process of the pool. --- */

void conn_pool_join(struct conn_pool *t, int owner,
                    struct conn_count_counters counters)
{
    t->owner = owner;
    t->counters = counters;
}

/* --- The clock. --- */

int conn_pool_next_due(struct conn_pool *t, int from, int64_t due)
{
    if (from == 0) {
        shared_timer_reset(&t->clock);
        t->next_due = CLOCK_NEVER;
    }
    for (int i = from; i < (int)t->table->count; i++) {
        const struct conn_slot *p = &t->table->at[i];
        if (p->owner != CONN_SLOT_PARKED)
            continue;
        int64_t deadline = p->deadline;
        if (deadline <= due || p->adrift != 0)
            return i;
        if (deadline < t->next_due)
            t->next_due = deadline;
    }
    int64_t deaf = t->table->deaf;
    shared_timer_set(&t->clock,
                     deaf != 0 && deaf < t->next_due ? deaf : t->next_due);
    return -1;
}

int conn_pool_next_late(const struct conn_pool *t, int from, int64_t due)
{
    return conn_table_next_late(t->table, from, due);
}

/* --- The listener. --- */

static void hear_again(struct conn_pool *t)
{
    atomic_store(&t->table->heard, clock_now());
    if (atomic_exchange(&t->table->deaf, 0) != 0)
        listen_for(t, EPOLL_CTL_MOD, t->listener, EPOLLIN, TAG_KNOCK);
}

void conn_pool_pause(struct conn_pool *t, int64_t pause)
{
    int64_t until = pause == 0 ? CLOCK_NEVER : clock_now() + pause;
    /* In this order, or hear_again() of another process could come between and
     * leave it silenced, and not noted as such. A death between:
     * listen_as_noted(). */
    listen_for(t, EPOLL_CTL_MOD, t->listener, 0, TAG_KNOCK);
    atomic_store(&t->table->deaf, until);
    shared_timer_set(&t->clock, until);
    /* One may have become free before anybody could know that we wait. */
    if (pause == 0 && conn_table_find(t->table, CONN_SLOT_FREE) >= 0)
        hear_again(t);
}

int64_t conn_pool_heard_since(const struct conn_pool *t)
{
    return atomic_load(&t->table->deaf) != 0 ? CLOCK_NEVER
                                             : atomic_load(&t->table->heard);
}

/* --- Waiting. --- */

static enum conn_pool_event ring(struct conn_pool *t)
{
    int64_t deaf = atomic_load(&t->table->deaf);
    if (deaf != 0 && deaf <= clock_now())
        hear_again(t);
    return CONN_POOL_CLOCK;
}

enum conn_pool_event conn_pool_wait(struct conn_pool *t, const sigset_t *open,
                                    int limit, int *slot)
{
    struct epoll_event e;
    if (epoll_pwait(t->set, &e, 1, limit, open) <= 0)
        return CONN_POOL_NOTHING;
    if (e.data.u64 == TAG_KNOCK) {
        atomic_store(&t->table->knocking, 1);
        return CONN_POOL_KNOCK;
    }
    if (e.data.u64 == TAG_CLOCK)
        return ring(t);
    *slot = (int)e.data.u64;
    return CONN_POOL_REQUEST;
}

int conn_pool_queue(const struct conn_pool *t)
{
    return t->set;
}

bool conn_pool_others_wait(const struct conn_pool *t)
{
    struct pollfd p = {.fd = t->set, .events = POLLIN};
    return poll(&p, 1, 0) > 0;
}

bool conn_pool_knocking(const struct conn_pool *t)
{
    return atomic_load(&t->table->knocking) != 0;
}

void conn_pool_quiet(struct conn_pool *t)
{
    atomic_store(&t->table->knocking, 0);
}

void conn_pool_watch(struct conn_pool *t)
{
    t->looks_out = true;
}

void conn_pool_look(struct conn_pool *t)
{
    conn_watch_look(&t->conn_watch);
}

uint32_t conn_pool_waiting(const struct conn_pool *t, int64_t *since)
{
    return conn_watch_count(&t->conn_watch, since);
}

/* --- Places. --- */

int conn_pool_reserve(struct conn_pool *t)
{
    return conn_table_reserve(t->table, t->owner);
}

void conn_pool_opened(struct conn_pool *t, int slot)
{
    if (conn_pool_closing(t))
        atomic_store(&t->table->opened, clock_now());
    conn_count_open(&t->table->at[slot].account, &t->counters);
}

/* Close the connection, and free the slot. */
static void clear(struct conn_pool *t, int slot, int fd)
{
    struct conn_slot *p = &t->table->at[slot];
    struct fd_store *m = &t->stores[slot];
    /* The peer learns at once, though others have copies: they close theirs
     * when they meet the slot again. Until this is done it is in the descriptor
     * store, so that conn_pool_recover() can. */
    if (fd >= 0)
        shutdown(fd, SHUT_RDWR);
    conn_watch_forget(&t->conn_watch, slot, m->number);
    if (p->kept != 0) {
        epoll_ctl(t->set, EPOLL_CTL_DEL, m->number, NULL);
        fd_store_clear(m);
        p->kept = 0;
    }
    if (fd >= 0 && fd != m->number)
        close(fd);
    fd_store_forget(m);
    atomic_store(&p->owner, CONN_SLOT_FREE);
    if (atomic_load(&t->table->deaf) != 0)
        hear_again(t);
}

void conn_pool_vacate(struct conn_pool *t, int slot, int fd)
{
    t->table->at[slot].used = 1; /* nobody shall go on with it */
    conn_count_close(&t->table->at[slot].account, &t->counters);
    clear(t, slot, fd);
}

/* Put the connection into the descriptor store and give it an entry in the set
 * that tells of nothing yet. */
static bool keep(struct conn_pool *t, int slot, int *fd)
{
    struct conn_slot *p = &t->table->at[slot];
    struct fd_store *m = &t->stores[slot];
    if (p->kept != 0)
        return true;
    if (!fd_store_put(m, fd, p->generation))
        return false;
    if (!listen_for(t, EPOLL_CTL_ADD, *fd, EPOLLONESHOT, (uint64_t)slot) &&
        errno != EEXIST) {
        int error = errno;
        fd_store_clear(m);
        errno = error;
        return false;
    }
    p->kept = 1;
    return true;
}

static void arm(struct conn_pool *t, int slot)
{
    struct conn_slot *p = &t->table->at[slot];
    p->used = 0;
    p->adrift = 0;
    atomic_store(&p->owner, CONN_SLOT_PARKED);
    listen_for(t, EPOLL_CTL_MOD, t->stores[slot].number,
               EPOLLIN | EPOLLRDHUP | EPOLLONESHOT |
                   (p->queued != 0 ? EPOLLOUT : 0),
               (uint64_t)slot);
}

bool conn_pool_put_back(struct conn_pool *t, int slot, int *fd,
                        const struct iovec *parts, int count, int64_t deadline,
                        bool queued)
{
    if (!keep(t, slot, fd) || !fd_store_write(&t->stores[slot], parts, count))
        return false;
    atomic_store(&t->table->at[slot].deadline, deadline);
    t->table->at[slot].queued = queued;
    if (t->looks_out)
        conn_watch_park(&t->conn_watch, slot, *fd);
    arm(t, slot);
    *fd = -1;
    shared_timer_set(&t->clock, deadline);
    return true;
}

/* Parked, by a process that could not have it, for want of descriptors. Without
 * a copy it can neither be armed nor shut down, so the clock tells others. */
static void set_adrift(struct conn_pool *t, int slot)
{
    struct conn_slot *p = &t->table->at[slot];
    p->adrift = 1;
    atomic_store(&p->owner, CONN_SLOT_PARKED);
    shared_timer_set(&t->clock, clock_now() + ADRIFT_PAUSE);
}

int conn_pool_take(struct conn_pool *t, int slot, void *bytes, size_t *n,
                   int64_t *came)
{
    struct conn_slot *p = &t->table->at[slot];
    errno = 0;
    if (!conn_table_claim(p, t->owner))
        return -1;
    int fd = fd_store_copy(&t->stores[slot], p->generation);
    if (fd < 0) {
        set_adrift(t, slot);
        poll(NULL, 0, ADRIFT_ASIDE_MS); /* others come first */
        errno = EMFILE;
        return -1;
    }
    if (p->used != 0) { /* settle() could not end it */
        clear(t, slot, fd);
        errno = 0;
        return -1;
    }
    p->used = 1;
    int64_t known = readable_since_taken(conn_table_readable(t->table, slot));
    if (came != NULL)
        *came = known;
    *n = fd_store_read(&t->stores[slot], bytes);
    return fd;
}

/* --- After a death. --- */

/* Settle what a dead process has left at `slot`, which is owned. A connection
 * that nobody had begun to read is parked again; any other one ends. Where
 * there is no room for its descriptor, others go on with it: they learn of it
 * from the clock, and conn_pool_take() ends it if it has to end. True: it is
 * lost now. */
static bool settle(struct conn_pool *t, int slot, struct conn_count_counters c)
{
    struct conn_slot *p = &t->table->at[slot];
    struct fd_store *m = &t->stores[slot];
    int fd = fd_store_copy(m, p->generation);
    bool held = fd >= 0 || fd_store_holds(m);
    bool ends = !held || p->used != 0;
    bool lost = ends && conn_count_settle(&p->account, &c);
    p->kept = 1; /* whatever the dead had come to, clear() removes all of it */
    if (fd < 0 && held) {
        set_adrift(t, slot);
    } else if (ends) {
        clear(t, slot, fd);
    } else {
        arm(t, slot);
        fd_store_forget(m);
    }
    return lost;
}

/* Its event may have gone with the dead: arm it again. */
static bool park_again(struct conn_pool *t, int slot,
                       struct conn_count_counters c)
{
    return conn_table_claim(&t->table->at[slot], t->owner) &&
           settle(t, slot, c);
}

/* The dead may have taken its wishes back to set them anew. It must not ring
 * early: where no worker is left one would be started to look. */
static void set_clock_again(struct conn_pool *t)
{
    int64_t deaf = t->table->deaf;
    shared_timer_reset(&t->clock);
    shared_timer_set(&t->clock, deaf != 0 ? deaf : CLOCK_NEVER);
    for (uint32_t i = 0; i < t->table->count; i++) {
        const struct conn_slot *p = &t->table->at[i];
        if (p->owner == CONN_SLOT_PARKED)
            shared_timer_set(&t->clock, p->adrift != 0
                                            ? clock_now() + ADRIFT_PAUSE
                                            : p->deadline);
    }
}

/* The dead may have silenced the listener and not noted it, or noted that it is
 * heard and not armed it, or armed it after another process had silenced it, or
 * waited for a slot that was free by then. So the kernel is told what the word
 * says, and again if the word changes meanwhile: hear_again() of another
 * process changes the word first. */
static void listen_as_noted(struct conn_pool *t)
{
    int64_t deaf = CLOCK_NEVER;
    if (atomic_load(&t->table->deaf) == CLOCK_NEVER &&
        conn_table_find(t->table, CONN_SLOT_FREE) >= 0) {
        atomic_store(&t->table->heard, clock_now());
        atomic_compare_exchange_strong(&t->table->deaf, &deaf, 0);
    }
    do {
        deaf = atomic_load(&t->table->deaf);
        listen_for(t, EPOLL_CTL_MOD, t->listener, deaf == 0 ? EPOLLIN : 0,
                   TAG_KNOCK);
    } while (deaf != atomic_load(&t->table->deaf));
}

uint32_t conn_pool_recover(struct conn_pool *t, int owner,
                           struct conn_count_counters c)
{
    uint32_t lost = 0;
    for (int i = 0; i < (int)t->table->count; i++) {
        int32_t now = t->table->at[i].owner;
        if (now == owner)
            lost += settle(t, i, c);
        else if (now == CONN_SLOT_PARKED)
            lost += park_again(t, i, c);
    }
    listen_as_noted(t);
    set_clock_again(t);
    return lost;
}

/* --- The end. --- */

enum conn_pool_end { OPEN, CLOSING, CLOSING_SHUT, DEAF };

void conn_pool_close(struct conn_pool *t, bool shut)
{
    int32_t open = OPEN;
    atomic_compare_exchange_strong(&t->table->closing, &open,
                                   shut ? CLOSING_SHUT : CLOSING);
}

void conn_pool_found_empty(struct conn_pool *t)
{
    if (atomic_load(&t->table->closing) == CLOSING_SHUT)
        conn_pool_deafen(t);
}

void conn_pool_deafen(struct conn_pool *t)
{
    atomic_store(&t->table->closing, DEAF);
    epoll_ctl(t->set, EPOLL_CTL_DEL, t->listener, NULL);
}
bool conn_pool_closing(const struct conn_pool *t)
{
    return atomic_load(&t->table->closing) != OPEN;
}

bool conn_pool_accepts(const struct conn_pool *t)
{
    return atomic_load(&t->table->closing) != DEAF;
}

int64_t conn_pool_last_opened(const struct conn_pool *t)
{
    return atomic_load(&t->table->opened);
}

bool conn_pool_is_empty(const struct conn_pool *t)
{
    return conn_table_is_empty(t->table);
}

bool conn_pool_is_done(const struct conn_pool *t)
{
    return !conn_pool_accepts(t) && conn_pool_is_empty(t);
}
