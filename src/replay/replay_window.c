/* replay_window: see replay_window.h. */
#include "replay/replay_window.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool replay_window_open(struct window *w, size_t size, uint64_t first)
{
    w->slots = calloc(size, sizeof *w->slots);
    w->size = size;
    w->first = w->next = first;
    return w->slots != NULL;
}

static struct slot *slot_of(const struct window *w, uint64_t number)
{
    return &w->slots[number % w->size];
}

void replay_window_drop(struct window *w)
{
    struct slot *s = slot_of(w, w->first++);
    free(s->item.body);
    for (int i = 0; i < LEGS; i++) {
        free(s->legs[i].reply);
        free(s->legs[i].posted);
    }
    *s = (struct slot){0};
}

void replay_window_close(struct window *w)
{
    while (w->slots != NULL && w->first < w->next)
        replay_window_drop(w);
    free(w->slots);
    w->slots = NULL;
}

bool replay_window_has_room(const struct window *w)
{
    return w->next - w->first < w->size;
}

void replay_window_add(struct window *w, const struct corpus_item *item)
{
    struct slot *s = slot_of(w, w->next);
    *s = (struct slot){.number = w->next++, .item = *item};
    for (int i = 0; i < LEGS; i++)
        if (w->asks[i] && item->body != NULL)
            s->legs[i].state = LEG_WAITING;
}

struct slot *replay_window_ask(struct window *w, int who)
{
    for (uint64_t n = w->first; n < w->next; n++) {
        struct slot *s = slot_of(w, n);
        if (s->legs[who].state != LEG_WAITING)
            continue;
        if (who != AGAIN || s->legs[THEIRS].state == LEG_DONE)
            return s;
    }
    return NULL;
}

void replay_window_id(const struct window *w, const struct slot *s, int who,
                      char id[REPLAY_ID_MAX])
{
    snprintf(id, REPLAY_ID_MAX, "%s-%" PRIu64 "-%d", w->run, s->number, who);
}

static bool is_done(const struct slot *s)
{
    for (int i = 0; i < LEGS; i++)
        if (s->legs[i].state == LEG_WAITING || s->legs[i].state == LEG_OUT)
            return false;
    return true;
}

void replay_window_answered(struct slot *s, int who,
                            const struct replay_result *result, char *reply,
                            int64_t now)
{
    struct leg *leg = &s->legs[who];
    leg->state = LEG_DONE;
    leg->result = *result;
    leg->reply = reply;
    if (is_done(s))
        s->done = now;
}

/* --- Posts. --- */

/* The leg that `id` names. NULL: it is none of ours, or of a case that has
 * left. */
static struct leg *by_id(struct window *w, const char *id)
{
    size_t n = strlen(w->run);
    char *rest;
    if (strncmp(id, w->run, n) != 0 || id[n] != '-')
        return NULL;
    uint64_t number = strtoull(id + n + 1, &rest, 10);
    if (rest[0] != '-' || rest[1] < '0' || rest[1] >= '0' + LEGS ||
        rest[2] != '\0' || number < w->first || number >= w->next)
        return NULL;
    return &slot_of(w, number)->legs[rest[1] - '0'];
}

/* The leg that must be meant when only one case is under way. */
static struct leg *by_turn(struct window *w, int listener)
{
    if (w->size > 1 || w->first == w->next)
        return NULL;
    struct leg *legs = slot_of(w, w->first)->legs;
    if (listener == OURS)
        return &legs[OURS];
    return legs[AGAIN].state == LEG_OUT || legs[AGAIN].state == LEG_DONE
               ? &legs[AGAIN]
               : &legs[THEIRS];
}

void replay_window_posted(struct window *w, int listener, const char *id,
                          const char *body, size_t n)
{
    bool ours = id != NULL && strncmp(id, w->run, strlen(w->run)) == 0;
    struct leg *leg = ours ? by_id(w, id) : by_turn(w, listener);
    w->late += leg == NULL && (ours || w->size == 1);
    w->unpaired += leg == NULL && !ours && w->size > 1;
    if (leg == NULL)
        return;
    if (leg->posted == NULL && (leg->posted = malloc(n + 1)) != NULL) {
        memcpy(leg->posted, body, n);
        leg->posted[n] = '\0';
        leg->posted_len = n;
    }
    leg->posts++;
}

/* Is a post of this leg still to come, as far as one can tell? */
static bool is_waited_for(const struct window *w, const struct slot *s, int who)
{
    const struct leg *leg = &s->legs[who];
    return w->listens[who == OURS ? 0 : 1] && leg->state == LEG_DONE &&
           leg->posts == 0 && leg->result.end == CALL_ANSWERED &&
           leg->result.status / 100 == 2;
}

struct slot *replay_window_ready(struct window *w, int64_t now, int64_t *due)
{
    struct slot *s = slot_of(w, w->first);
    bool waits = false;
    if (w->first == w->next || !is_done(s))
        return NULL;
    for (int i = 0; i < LEGS; i++)
        waits = waits || is_waited_for(w, s, i);
    if (!waits || now >= s->done + w->settle)
        return s;
    if (s->done + w->settle < *due)
        *due = s->done + w->settle;
    return NULL;
}
