/* tray: see tray.h. */
#include "conn_pool/tray.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "conn_pool/tray_inside.h"

/* Until others look after a connection that one process could not take, and
 * until that one listens again: longer, lest it be told of it every time. */
#define ADRIFT_PAUSE CLOCK_MS
#define ADRIFT_ASIDE_MS 10

static bool listen_for(struct tray *t, int op, int fd, uint32_t events,
                       uint64_t tag)
{
    struct epoll_event e = {.events = events, .data.u64 = tag};
    return epoll_ctl(t->set, op, fd, &e) == 0;
}

void tray_join(struct tray *t, int owner, struct account_counters counters)
{
    t->owner = owner;
    t->counters = counters;
}

/* --- The clock. --- */

int tray_next_due(struct tray *t, int from, int64_t due)
{
    if (from == 0) {
        alarm_reset(&t->clock);
        t->next_due = CLOCK_NEVER;
    }
    for (int i = from; i < (int)t->table->count; i++) {
        const struct place *p = &t->table->at[i];
        if (p->owner != PLACE_PARKED)
            continue;
        int64_t deadline = p->deadline;
        if (deadline <= due || p->adrift != 0)
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

void tray_pause(struct tray *t, int64_t pause)
{
    int64_t until = pause == 0 ? CLOCK_NEVER : clock_now() + pause;
    listen_for(t, EPOLL_CTL_MOD, t->listener, 0, TAG_KNOCK);
    atomic_store(&t->table->deaf, until);
    alarm_set(&t->clock, until);
    /* One may have become free before anybody could know that we wait. */
    if (pause == 0 && places_find(t->table, PLACE_FREE) >= 0)
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

int tray_queue(const struct tray *t)
{
    return t->set;
}

bool tray_knocking(const struct tray *t)
{
    return atomic_load(&t->table->knocking) != 0;
}

void tray_quiet(struct tray *t)
{
    atomic_store(&t->table->knocking, 0);
}

/* --- What waits. --- */

void tray_look_out(struct tray *t)
{
    t->looks_out = true;
}

void tray_look(struct tray *t)
{
    lookout_look(&t->lookout);
}

uint32_t tray_waiting(const struct tray *t)
{
    return lookout_count(&t->lookout);
}

/* --- Places. --- */

int tray_reserve(struct tray *t)
{
    return places_reserve(t->table, t->owner);
}

void tray_opened(struct tray *t, int place)
{
    account_open(&t->table->at[place].account, &t->counters);
}

/* Close the connection, and free the place. */
static void clear(struct tray *t, int place, int fd)
{
    struct place *p = &t->table->at[place];
    struct mailbox *m = &t->mailboxes[place];
    /* The peer learns at once, though others have copies: they close theirs
     * when they meet the place again. Until this is done it is in the mailbox,
     * so that tray_recover() can. */
    if (fd >= 0)
        shutdown(fd, SHUT_RDWR);
    lookout_forget(&t->lookout, place, m->number);
    if (p->kept != 0) {
        epoll_ctl(t->set, EPOLL_CTL_DEL, m->number, NULL);
        mailbox_clear(m);
        p->kept = 0;
    }
    if (fd >= 0 && fd != m->number)
        close(fd);
    mailbox_forget(m);
    atomic_store(&p->owner, PLACE_FREE);
    if (atomic_load(&t->table->deaf) != 0)
        hear_again(t);
}

void tray_vacate(struct tray *t, int place, int fd)
{
    t->table->at[place].used = 1; /* nobody shall go on with it */
    account_close(&t->table->at[place].account, &t->counters);
    clear(t, place, fd);
}

/* Put the connection into the mailbox and give it an entry in the set that
 * tells of nothing yet. */
static bool keep(struct tray *t, int place, int *fd)
{
    struct place *p = &t->table->at[place];
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
    struct place *p = &t->table->at[place];
    p->used = 0;
    p->adrift = 0;
    atomic_store(&p->owner, PLACE_PARKED);
    listen_for(t, EPOLL_CTL_MOD, t->mailboxes[place].number,
               EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, (uint64_t)place);
}

bool tray_park(struct tray *t, int place, int *fd, const struct iovec *parts,
               int count, int64_t deadline)
{
    if (!keep(t, place, fd) ||
        !mailbox_write(&t->mailboxes[place], parts, count))
        return false;
    atomic_store(&t->table->at[place].deadline, deadline);
    if (t->looks_out)
        lookout_park(&t->lookout, place, *fd);
    arm(t, place);
    *fd = -1;
    alarm_set(&t->clock, deadline);
    return true;
}

/* It could not be had, for want of descriptors: others may do better, until
 * its deadline. Without a copy it cannot be armed, so the clock tells of it. */
static void leave_to_others(struct tray *t, int place)
{
    struct place *p = &t->table->at[place];
    if (p->deadline <= clock_now()) {
        tray_vacate(t, place, -1);
        return;
    }
    p->adrift = 1;
    atomic_store(&p->owner, PLACE_PARKED);
    alarm_set(&t->clock, clock_now() + ADRIFT_PAUSE);
    poll(NULL, 0, ADRIFT_ASIDE_MS);
}

int tray_take(struct tray *t, int place, void *bytes, size_t *n, int64_t *came)
{
    struct place *p = &t->table->at[place];
    errno = 0;
    if (!place_claim(p, t->owner))
        return -1;
    int fd = mailbox_copy(&t->mailboxes[place], p->generation);
    if (fd < 0) {
        leave_to_others(t, place);
        errno = EMFILE;
        return -1;
    }
    p->used = 1;
    int64_t known = arrival_taken(places_arrival(t->table, place));
    if (came != NULL)
        *came = known;
    *n = mailbox_read(&t->mailboxes[place], bytes);
    return fd;
}

bool tray_is_empty(const struct tray *t)
{
    return places_find(t->table, PLACE_PARKED) < 0;
}

/* --- After a death, and at the end. --- */

/* Its event may have gone with the dead: arm it again. */
static void park_again(struct tray *t, int place)
{
    struct mailbox *m = &t->mailboxes[place];
    if (!place_claim(&t->table->at[place], t->owner))
        return;
    mailbox_copy(m, t->table->at[place].generation);
    arm(t, place);
    mailbox_forget(m);
}

/* A place of the dead. What it had not begun to read is parked again, all else
 * ends. True: its connection is lost. */
static bool bequeath(struct tray *t, int place, struct account_counters c)
{
    struct place *p = &t->table->at[place];
    int fd = mailbox_copy(&t->mailboxes[place], p->generation);
    if (fd >= 0 && p->used == 0) {
        arm(t, place);
        mailbox_forget(&t->mailboxes[place]);
        return false;
    }
    bool lost = account_settle(&p->account, &c);
    p->kept = fd >= 0;
    clear(t, place, fd);
    return lost;
}

/* The dead may have taken its wishes back to set them anew. It must not ring
 * early: where no worker is left one would be started to look. */
static void set_clock_again(struct tray *t)
{
    int64_t deaf = t->table->deaf;
    alarm_reset(&t->clock);
    alarm_set(&t->clock, deaf != 0 ? deaf : CLOCK_NEVER);
    for (uint32_t i = 0; i < t->table->count; i++) {
        const struct place *p = &t->table->at[i];
        if (p->owner == PLACE_PARKED)
            alarm_set(&t->clock, p->adrift != 0 ? clock_now() + ADRIFT_PAUSE
                                                : p->deadline);
    }
}

uint32_t tray_recover(struct tray *t, int owner, struct account_counters c)
{
    uint32_t lost = 0;
    for (int i = 0; i < (int)t->table->count; i++) {
        int32_t now = t->table->at[i].owner;
        if (now == owner)
            lost += bequeath(t, i, c);
        else if (now == PLACE_PARKED)
            park_again(t, i);
    }
    set_clock_again(t);
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
