/* conn_pool: see conn_pool.h. */
#include "conn_pool/conn_pool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "conn_pool/conn_count.h"
#include "conn_pool/conn_set.h"
#include "conn_pool/conn_table.h"
#include "conn_pool/conn_watch.h"
#include "conn_pool/fd_store.h"
#include "conn_pool/listener_pause.h"
#include "os/limits.h"
#include "os/shared_timer.h"

struct conn_pool {
    struct conn_table *table;
    int memory; /* its descriptor */
    int vacant; /* what a slot's number is without a copy; see fd_store.h */
    int owner;  /* this process */
    struct conn_count_counters counters;
    struct conn_set set;
    struct shared_timer clock;
    struct listener_pause pause;
    struct conn_watch conn_watch;
    bool looks_out;          /* this process wants to know what waits */
    struct fd_store *stores; /* per slot */
    int64_t next_due;        /* of a scan under way, see conn_pool_next_due() */
    struct conn_set_event told; /* the last event */
};

/* For how many parkings a connection whose entry stayed armed in vain gets it
 * armed each time instead. */
#define FITFUL_PARKINGS 16

/* Until others look after a connection that one process could not take, and
 * until that one listens again: longer, lest it be told of it every time. */
#define ADRIFT_PAUSE CLOCK_MS
#define ADRIFT_ASIDE_MS 10

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
    t->set = (struct conn_set){.fd = -1, .listener = listener};
    t->pause = (struct listener_pause){.set = &t->set, .clock = &t->clock};
    t->memory = t->vacant = t->clock.fd = t->conn_watch.set = -1;
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
    t->pause.table = t->table;
    return t->table != NULL &&
           shared_timer_open(&t->clock, &t->table->clock_at) &&
           conn_set_open(&t->set, t->set.listener, t->clock.fd) &&
           conn_watch_open(&t->conn_watch, t->table) && open_vacant(t) &&
           open_stores(t);
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
    if (t->table != NULL)
        fd_store_close(t->stores, t->table->count);
    conn_set_close(&t->set);
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
                                      .set = t->set.fd,
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
    t->pause.table = t->table;
    t->memory = files->memory;
    t->set.fd = files->set;
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

void conn_pool_pause(struct conn_pool *t, int64_t pause)
{
    listener_pause_begin(&t->pause, pause);
}

int64_t conn_pool_heard_since(const struct conn_pool *t)
{
    return listener_pause_heard_since(&t->pause);
}

/* --- Waiting. --- */

enum conn_pool_event conn_pool_wait(struct conn_pool *t, const sigset_t *open,
                                    int limit, int *slot)
{
    t->told = conn_set_wait(&t->set, open, limit);
    switch (t->told.about) {
    case CONN_SET_NOTHING:
        return CONN_POOL_NOTHING;
    case CONN_SET_LISTENER:
        atomic_store(&t->table->knocking, 1);
        return CONN_POOL_KNOCK;
    case CONN_SET_CLOCK:
        listener_pause_end_in_time(&t->pause);
        return CONN_POOL_CLOCK;
    case CONN_SET_CONNECTION:
        break;
    }
    *slot = t->told.slot;
    return CONN_POOL_REQUEST;
}

int conn_pool_queue(const struct conn_pool *t)
{
    return t->set.fd;
}

bool conn_pool_others_wait(const struct conn_pool *t)
{
    return conn_set_is_ready(&t->set);
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
        fd_store_drop_unread(fd);
        conn_set_remove(&t->set, m->number);
        fd_store_clear(m);
        p->kept = 0;
    }
    if (fd >= 0 && fd != m->number)
        close(fd);
    fd_store_forget(m);
    atomic_store(&p->owner, CONN_SLOT_FREE);
    listener_pause_slot_is_free(&t->pause);
}

void conn_pool_vacate(struct conn_pool *t, int slot, int fd)
{
    t->table->at[slot].used = 1; /* nobody shall go on with it */
    conn_count_close(&t->table->at[slot].account, &t->counters);
    clear(t, slot, fd);
}

/* Put the connection into the descriptor store and give it an entry in the set.
 */
static bool keep(struct conn_pool *t, int slot, int *fd)
{
    struct conn_slot *p = &t->table->at[slot];
    struct fd_store *m = &t->stores[slot];
    if (p->kept != 0)
        return true;
    if (!fd_store_put(m, fd, p->generation))
        return false;
    p->fitful = 0;
    p->steady = conn_set_add(&t->set, slot, *fd);
    if (p->steady == 0 && errno != EEXIST) {
        int error = errno;
        fd_store_clear(m);
        errno = error;
        return false;
    }
    p->kept = 1;
    return true;
}

/* What its entry is to be, for a connection that is parked like this. */
static enum conn_set_state choose_state(struct conn_slot *p,
                                        enum conn_pool_parking how)
{
    if (p->queued != 0)
        return CONN_SET_AT_ONCE;
    if (how != CONN_POOL_DRAINED)
        p->fitful = FITFUL_PARKINGS;
    else if (p->fitful == 0)
        return CONN_SET_STEADY;
    else
        p->fitful--;
    return CONN_SET_ONCE;
}

/* `steady` is set first: whoever takes the connection between the two steps
 * does not set it later. Where it is true too early the entry is armed all the
 * same, by this process or, if it dies here, by conn_pool_tell_again(). */
static void release(struct conn_pool *t, int slot, enum conn_pool_parking how)
{
    struct conn_slot *p = &t->table->at[slot];
    bool was_steady = p->steady != 0;
    if (how == CONN_POOL_DRAINED && conn_table_has_come(p))
        how = CONN_POOL_UNREAD;
    enum conn_set_state state = choose_state(p, how);
    p->steady = state == CONN_SET_STEADY;
    p->used = 0;
    p->adrift = 0;
    bool came = conn_table_release(p);
    if (came || !was_steady || state != CONN_SET_STEADY)
        conn_set_arm(&t->set, slot, t->stores[slot].number, state);
}

bool conn_pool_park(struct conn_pool *t, int slot, int *fd,
                    const struct iovec *parts, int count, int64_t deadline,
                    enum conn_pool_parking how)
{
    if (!keep(t, slot, fd) || !fd_store_write(&t->stores[slot], parts, count))
        return false;
    atomic_store(&t->table->at[slot].deadline, deadline);
    t->table->at[slot].queued = how == CONN_POOL_QUEUED;
    if (t->looks_out)
        conn_watch_park(&t->conn_watch, slot, *fd);
    release(t, slot, how);
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
    p->steady = 0;
    conn_table_release(p);
    shared_timer_set(&t->clock, clock_now() + ADRIFT_PAUSE);
}

int conn_pool_take(struct conn_pool *t, int slot, void *bytes, size_t *n,
                   int64_t *came)
{
    struct conn_slot *p = &t->table->at[slot];
    errno = 0;
    if (!conn_table_claim(p, t->owner))
        return -1;
    if (t->told.slot == slot && (t->told.spent || t->told.left))
        p->steady = 0;
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

bool conn_pool_has_come(const struct conn_pool *t, int slot)
{
    return conn_table_has_come(&t->table->at[slot]);
}

void conn_pool_heed(struct conn_pool *t, int slot)
{
    struct conn_slot *p = &t->table->at[slot];
    p->steady = 0; /* it may have been the end: only others know */
    conn_table_heed(p);
}

bool conn_pool_saw_peer(const struct conn_pool *t, int slot)
{
    return t->told.about == CONN_SET_CONNECTION && t->told.slot == slot &&
           !t->told.left;
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
        release(t, slot, CONN_POOL_UNREAD);
        fd_store_forget(m);
    }
    return lost;
}

/* An event of it may have gone with the dead. */
static bool tell_again(struct conn_pool *t, int slot,
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

uint32_t conn_pool_recover(struct conn_pool *t, int owner,
                           struct conn_count_counters c)
{
    uint32_t lost = 0;
    for (int i = 0; i < (int)t->table->count; i++)
        if (conn_table_owner(&t->table->at[i]) == owner)
            lost += settle(t, i, c);
    return lost;
}

uint32_t conn_pool_tell_again(struct conn_pool *t, struct conn_count_counters c)
{
    uint32_t lost = 0;
    for (int i = 0; i < (int)t->table->count; i++)
        lost += tell_again(t, i, c);
    listener_pause_settle(&t->pause);
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
    conn_set_deafen(&t->set);
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
