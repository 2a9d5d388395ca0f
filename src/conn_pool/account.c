/* account: see account.h. */
#include "conn_pool/account.h"

/* It is counted as opened, by whoever that was. */
#define OPEN UINT64_MAX

void account_open(struct account *a, const struct account_counters *c)
{
    uint64_t n = *c->opened + 1;
    a->opening = n;
    *c->opened = n;
    a->opening = OPEN;
}

void account_close(struct account *a, const struct account_counters *c)
{
    if (a->opening == 0)
        return;
    uint64_t n = *c->closed + 1;
    a->closing = n;
    *c->closed = n;
    a->opening = 0;
    a->closing = 0;
}

bool account_settle(struct account *a, const struct account_counters *c)
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
