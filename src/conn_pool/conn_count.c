/* conn_count: see conn_count.h. */
#include "conn_pool/conn_count.h"

/* It is counted as opened, by whoever that was. */
#define OPEN UINT64_MAX

void conn_count_open(struct conn_count *a, const struct conn_count_counters *c)
{
    uint64_t n = *c->opened + 1;
    a->opening = n;
    *c->opened = n;
    a->opening = OPEN;
}

void conn_count_close(struct conn_count *a, const struct conn_count_counters *c)
{
    if (a->opening == 0)
        return;
    uint64_t n = *c->closed + 1;
    a->closing = n;
    *c->closed = n;
    a->opening = 0;
    a->closing = 0;
}

bool conn_count_settle(struct conn_count *a,
                       const struct conn_count_counters *c)
{
    uint64_t opening = a->opening, closing = a->closing;
    if (opening != 0 && opening != OPEN)
        *c->opened = opening;
    if (opening != 0 && closing != 0)
        *c->closed = closing;
    a->opening = 0;
    a->closing = 0;
    return opening != 0 && closing == 0;
}
