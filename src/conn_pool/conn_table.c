/* conn_table: see conn_table.h. */
#include "conn_pool/conn_table.h"

#include <errno.h>

#include "os/share.h"

static size_t bytes_for(uint32_t count)
{
    return sizeof(struct conn_table) +
           count * (sizeof(struct conn_slot) + sizeof(struct readable_since));
}

struct conn_table *conn_table_new(uint32_t count, int *memory)
{
    struct conn_table *p =
        share_new("tallyd-conn_pool", bytes_for(count), memory);
    if (p != NULL)
        p->count = count;
    return p;
}

struct conn_table *conn_table_map(int memory, uint32_t count)
{
    struct conn_table *p = share_map(memory, bytes_for(count));
    if (p == NULL || p->count == count)
        return p;
    share_free(p, bytes_for(count), -1);
    errno = EPROTO;
    return NULL;
}

void conn_table_free(struct conn_table *p, int memory)
{
    share_free(p, p == NULL ? 0 : bytes_for(p->count), memory);
}

int conn_table_find(const struct conn_table *p, int owner)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (p->at[i].owner == owner)
            return (int)i;
    return -1;
}

static bool change_owner(struct conn_slot *p, int32_t from, int to)
{
    return atomic_compare_exchange_strong(&p->owner, &from, to);
}

static void note_most(struct conn_table *p, uint32_t most)
{
    uint32_t was = p->most;
    while (was < most && !atomic_compare_exchange_weak(&p->most, &was, most))
        ;
}

int conn_table_reserve(struct conn_table *p, int owner)
{
    for (uint32_t i = 0; i < p->count; i++) {
        struct conn_slot *one = &p->at[i];
        if (one->owner != CONN_SLOT_FREE ||
            !change_owner(one, CONN_SLOT_FREE, owner))
            continue;
        note_most(p, i + 1);
        one->used = 1;
        one->generation++;
        return (int)i;
    }
    return -1;
}

bool conn_table_claim(struct conn_slot *p, int owner)
{
    int32_t was = atomic_load(&p->owner), next;
    do {
        if (was == CONN_SLOT_FREE)
            return false;
        next = was == CONN_SLOT_PARKED ? owner : was | CONN_SLOT_CAME;
    } while (!atomic_compare_exchange_weak(&p->owner, &was, next));
    return was == CONN_SLOT_PARKED;
}

bool conn_table_release(struct conn_slot *p)
{
    int32_t was = atomic_exchange(&p->owner, CONN_SLOT_PARKED);
    return (was & CONN_SLOT_CAME) != 0;
}

int conn_table_next_late(const struct conn_table *p, int from, int64_t due)
{
    for (int i = from; i < (int)p->most; i++)
        if (p->at[i].owner == CONN_SLOT_PARKED && p->at[i].deadline > due)
            return i;
    return -1;
}

bool conn_table_is_empty(const struct conn_table *p)
{
    for (uint32_t i = 0; i < p->most; i++)
        if (p->at[i].owner != CONN_SLOT_FREE)
            return false;
    return true;
}
