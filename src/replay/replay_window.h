/* replay_window: the cases that are under way, in their order.
 *
 * Handlers answer out of order; cases leave the window in order, so that what
 * has been counted and written is at any time that of the first N cases, for
 * some N. A slow case holds up those behind it once the window is full, and no
 * longer than its timeout. */
#ifndef TALLYD_REPLAY_REPLAY_WINDOW_H
#define TALLYD_REPLAY_REPLAY_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "replay/replay_child.h"

/* The handlers that are asked. The third is another instance of theirs, and is
 * asked when theirs has answered. */
enum { OURS, THEIRS, AGAIN, LEGS };

struct leg {
    enum { LEG_NONE, LEG_WAITING, LEG_OUT, LEG_DONE } state;
    struct replay_result result;
    char *reply; /* terminated */
    int posts;
    char *posted; /* the first one, terminated */
    size_t posted_len;
};

struct slot {
    uint64_t number;         /* from 1 */
    struct corpus_item item; /* without a body nobody is asked */
    struct leg legs[LEGS];
    int64_t done; /* when the last one answered; 0: not yet */
};

struct window {
    struct slot *slots;
    size_t size;
    uint64_t first, next; /* the numbers that are in it, `next` not */
    bool asks[LEGS];
    bool listens[2];         /* to what ours posts, and theirs */
    int64_t settle;          /* ns: how long a post may be overdue */
    char run[24];            /* what the ids of this run begin with */
    uint64_t late, unpaired; /* posts that came too late, or with no id */
};

/* The first case will have the number `first`. False: memory is short. */
bool replay_window_open(struct window *w, size_t size, uint64_t first);
void replay_window_close(struct window *w);

bool replay_window_has_room(const struct window *w);

/* Take over an item, and its body. */
void replay_window_add(struct window *w, const struct corpus_item *item);

/* The first case that `who` is to be asked next, or NULL; and its id. */
struct slot *replay_window_ask(struct window *w, int who);
void replay_window_id(const struct window *w, const struct slot *s, int who,
                      char id[REPLAY_ID_MAX]);

/* Take over an answer. */
void replay_window_answered(struct slot *s, int who,
                            const struct replay_result *result, char *reply,
                            int64_t now);

/* Something was posted to listener 0 (ours) or 1 (theirs); `id` is NULL when it
 * has none. Without ids of ours in them, posts belong to the only case of a
 * window of one. */
void replay_window_posted(struct window *w, int listener, const char *id,
                          const char *body, size_t n);

/* The first case, when all is known of it; else NULL, and *due is when to look
 * again for the time's sake, if that is before what it says. */
struct slot *replay_window_ready(struct window *w, int64_t now, int64_t *due);

/* Drop the first case. */
void replay_window_drop(struct window *w);

#endif
