/* places: see places.h. */
#include "adapters/places.h"

#include <sys/mman.h>

static size_t bytes_for(uint32_t count)
{
    return sizeof(struct places) + count * sizeof(struct place);
}

struct places *places_new(uint32_t count)
{
    struct places *p = mmap(NULL, bytes_for(count), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    p->count = count;
    return p;
}

void places_free(struct places *p)
{
    if (p != NULL)
        munmap(p, bytes_for(p->count));
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

int places_reserve(struct places *p, int owner)
{
    for (uint32_t i = 0; i < p->count; i++) {
        struct place *one = &p->at[i];
        if (one->owner != PLACE_FREE || !change_owner(one, PLACE_FREE, owner))
            continue;
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
