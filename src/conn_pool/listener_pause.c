/* listener_pause: see listener_pause.h. */
#include "conn_pool/listener_pause.h"

#include <stdatomic.h>

#include "base/clock.h"

static void hear_again(const struct listener_pause *p)
{
    atomic_store(&p->table->heard, clock_now());
    if (atomic_exchange(&p->table->deaf, 0) != 0)
        conn_set_hear(p->set, true);
}

void listener_pause_begin(const struct listener_pause *p, int64_t length)
{
    int64_t until = length == 0 ? CLOCK_NEVER : clock_now() + length;
    /* In this order, or hear_again() of another process could come between and
     * leave it silenced, and not noted as such. A death between:
     * listener_pause_settle(). */
    conn_set_hear(p->set, false);
    atomic_store(&p->table->deaf, until);
    shared_timer_set(p->clock, until);
    /* One may have become free before anybody could know that we wait. */
    if (length == 0 && conn_table_find(p->table, CONN_SLOT_FREE) >= 0)
        hear_again(p);
}

void listener_pause_end_in_time(const struct listener_pause *p)
{
    int64_t deaf = atomic_load(&p->table->deaf);
    if (deaf != 0 && deaf <= clock_now())
        hear_again(p);
}

void listener_pause_slot_is_free(const struct listener_pause *p)
{
    if (atomic_load(&p->table->deaf) != 0)
        hear_again(p);
}

int64_t listener_pause_heard_since(const struct listener_pause *p)
{
    return atomic_load(&p->table->deaf) != 0 ? CLOCK_NEVER
                                             : atomic_load(&p->table->heard);
}

/* The dead may have silenced the listener and not noted it, or noted that it is
 * heard and not armed it, or armed it after another process had silenced it, or
 * waited for a slot that was free by then. So the kernel is told what the word
 * says, and again if the word changes meanwhile: hear_again() of another
 * process changes the word first. */
void listener_pause_settle(const struct listener_pause *p)
{
    int64_t deaf = CLOCK_NEVER;
    if (atomic_load(&p->table->deaf) == CLOCK_NEVER &&
        conn_table_find(p->table, CONN_SLOT_FREE) >= 0) {
        atomic_store(&p->table->heard, clock_now());
        atomic_compare_exchange_strong(&p->table->deaf, &deaf, 0);
    }
    do {
        deaf = atomic_load(&p->table->deaf);
        conn_set_hear(p->set, deaf == 0);
    } while (deaf != atomic_load(&p->table->deaf));
}
