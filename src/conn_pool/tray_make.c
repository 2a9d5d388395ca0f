/* tray_make: how a tray is made, handed to another program, and freed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "conn_pool/tray.h"
#include "conn_pool/tray_inside.h"
#include "os/sandbox.h"

/* Descriptors a process needs besides the mailboxes and the places. */
#define OTHER_FILES 64
#define PLACES_MIN 4

/* The same in every process, and in the next program. */
static int number_of(const struct tray *t, uint32_t place)
{
    return OTHER_FILES + 2 * (int)t->table->count + (int)place;
}

static bool open_mailboxes(struct tray *t)
{
    for (uint32_t i = 0; i < t->table->count; i++)
        if (!mailbox_open(&t->mailboxes[i], &t->table->at[i].note,
                          number_of(t, i)))
            return false;
    return true;
}

static bool add(struct tray *t, int fd, uint32_t events, uint64_t tag)
{
    struct epoll_event e = {.events = events, .data.u64 = tag};
    return epoll_ctl(t->set, EPOLL_CTL_ADD, fd, &e) == 0;
}

/* Without any of its parts. */
static struct tray *empty_tray(uint32_t places, int listener)
{
    struct tray *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->owner = TRAY_SUPERVISOR;
    t->listener = listener;
    t->memory = t->set = t->clock.fd = t->lookout.set = -1;
    t->mailboxes = calloc(places, sizeof *t->mailboxes);
    if (t->mailboxes == NULL) {
        free(t);
        return NULL;
    }
    for (uint32_t i = 0; i < places; i++)
        t->mailboxes[i] = (struct mailbox){NULL, -1, -1, -1, 0};
    return t;
}

static bool open_all(struct tray *t, uint32_t places)
{
    t->table = places_new(places, &t->memory);
    t->set = epoll_create1(EPOLL_CLOEXEC);
    return t->table != NULL && t->set >= 0 &&
           alarm_open(&t->clock, &t->table->clock_at) &&
           lookout_open(&t->lookout, t->table) && open_mailboxes(t) &&
           add(t, t->clock.fd, EPOLLIN | EPOLLET, TAG_CLOCK) &&
           add(t, t->listener, EPOLLIN, TAG_KNOCK);
}

struct tray *tray_new(uint32_t places, int listener, char *why, size_t why_size)
{
    why[0] = '\0';
    if (!sandbox_fit_files(&places, 3, OTHER_FILES, PLACES_MIN, why, why_size))
        return NULL;
    struct tray *t = empty_tray(places, listener);
    if (t == NULL || open_all(t, places))
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
    for (uint32_t i = 0; t->table != NULL && i < t->table->count; i++)
        mailbox_close(&t->mailboxes[i]);
    close_if_open(t->set);
    alarm_close(&t->clock);
    lookout_close(&t->lookout);
    places_free(t->table, t->memory);
    free(t->mailboxes);
    free(t);
    *tray = NULL;
}

/* --- Another program. --- */

uint32_t tray_places(const struct tray *t)
{
    return t->table->count;
}

void tray_hand_over(const struct tray *t, struct tray_files *files,
                    struct tray_mailbox *mailboxes)
{
    *files = (struct tray_files){.memory = t->memory,
                                 .set = t->set,
                                 .clock = t->clock.fd,
                                 .lookout = t->lookout.set};
    for (uint32_t i = 0; i < t->table->count; i++)
        mailboxes[i] =
            (struct tray_mailbox){t->mailboxes[i].near, t->mailboxes[i].far};
}

struct tray *tray_take_over(const struct tray_files *files,
                            const struct tray_mailbox *mailboxes,
                            uint32_t places, int listener)
{
    struct tray *t = empty_tray(places, listener);
    if (t == NULL)
        return NULL;
    t->table = places_map(files->memory, places);
    t->memory = files->memory;
    t->set = files->set;
    if (t->table == NULL) {
        tray_free(&t);
        return NULL;
    }
    t->clock = (struct alarm){files->clock, &t->table->clock_at};
    t->lookout = (struct lookout){files->lookout, t->table};
    for (uint32_t i = 0; i < places; i++)
        t->mailboxes[i] =
            (struct mailbox){&t->table->at[i].note, mailboxes[i].near,
                             mailboxes[i].far, number_of(t, i), 0};
    return t;
}
