/* places: see places.h. */
#include "conn_pool/places.h"

#include <errno.h>

#include "os/share.h"

static size_t bytes_for(uint32_t count)
{
    return sizeof(struct places) +
           count * (sizeof(struct place) + sizeof(struct arrival));
}

struct places *places_new(uint32_t count, int *memory)
{
    struct places *p = share_new("tallyd-tray", bytes_for(count), memory);
    if (p != NULL)
        p->count = count;
    return p;
}

struct places *places_map(int memory, uint32_t count)
{
    struct places *p = share_map(memory, bytes_for(count));
    if (p == NULL || p->count == count)
        return p;
    share_free(p, bytes_for(count), -1);
    errno = EPROTO;
    return NULL;
}

void places_free(struct places *p, int memory)
{
    share_free(p, p == NULL ? 0 : bytes_for(p->count), memory);
}

int places_find(const struct places *p, int owner)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (p->at[i].owner == owner)
            return (int)i;
    return -1;
}

static bool change_owner(struct place *p, int32_t from, int to)
{
    return atomic_compare_exchange_strong(&p->owner, &from, to);
}

static void note_most(struct places *p, uint32_t most)
{
    uint32_t was = p->most;
    while (was < most && !atomic_compare_exchange_weak(&p->most, &was, most))
        ;
}

int places_reserve(struct places *p, int owner)
{
    for (uint32_t i = 0; i < p->count; i++) {
        struct place *one = &p->at[i];
        if (one->owner != PLACE_FREE || !change_owner(one, PLACE_FREE, owner))
            continue;
        note_most(p, i + 1);
        one->used = 1;
        one->generation++;
        return (int)i;
    }
    return -1;
}

bool place_claim(struct place *p, int owner)
{
    return change_owner(p, PLACE_PARKED, owner);
}
